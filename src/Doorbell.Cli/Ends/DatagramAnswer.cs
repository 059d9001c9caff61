namespace Doorbell.Cli.Ends;

/// <summary>A datagram for a peer of a relay.</summary>
/// <param name="Peer">Where to.</param>
/// <param name="Local">The address of ours that the peer knows.</param>
/// <param name="Bytes">A copy.</param>
internal readonly record struct DatagramAnswer(PeerAddress Peer, PeerAddress Local, ReadOnlyMemory<byte> Bytes);
