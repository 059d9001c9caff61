namespace Doorbell.Serving;

/// <summary>For whose address a connection behind layers is counted: a fact of the connection.</summary>
/// <param name="Peer">The peer at the time.</param>
internal sealed record CountedAddress(PeerAddress Peer);
