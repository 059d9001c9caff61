namespace Doorbell.Sessions;

/// <summary>For whose address a connection behind layers is counted: a fact of the connection.</summary>
/// <param name="Peer">The peer at the time.</param>
public sealed record CountedAddress(PeerAddress Peer);
