using Doorbell.Sessions;

namespace Doorbell.Lanes;

/// <summary>A connection that a handler has asked for, just connected.</summary>
/// <param name="Descriptor">Owned by whoever holds this.</param>
/// <param name="Request">What was asked for.</param>
/// <param name="Peer">The address that was connected.</param>
internal readonly record struct ConnectedSocket(int Descriptor, ConnectRequest Request, PeerAddress Peer);
