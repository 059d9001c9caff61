namespace Doorbell.Sessions;

/// <summary>A further socket that a handler has asked for; the lane opens it, or tells <see cref="DatagramHandler.OnClosed"/>.</summary>
/// <param name="Local">
/// The address to bind to, with port 0 for any free port; <see cref="AddressKind.None"/> for any free port of the opener's address.
/// </param>
/// <param name="Handler">The new socket's own handler.</param>
public readonly record struct DatagramOpening(PeerAddress Local, DatagramHandler Handler);
