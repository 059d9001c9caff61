namespace Doorbell.Sessions;

/// <summary>Between which two addresses a datagram goes: the peer's, and the one of ours that it came to or leaves from.</summary>
/// <param name="Peer">Where it came from, or goes to.</param>
/// <param name="Local">
/// The address asked, without a port, so that the answer can leave from it; <see cref="AddressKind.None"/> if it is not known or the
/// socket has only one.
/// </param>
public readonly record struct DatagramPath(PeerAddress Peer, PeerAddress Local);
