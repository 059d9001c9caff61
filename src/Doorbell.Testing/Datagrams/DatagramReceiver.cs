namespace Doorbell.Testing;

/// <summary>Takes a datagram that has arrived at a <see cref="SimulatedDatagramSocket"/>.</summary>
/// <param name="bytes">The datagram; may be empty. Lent for the call, and spoiled behind it.</param>
/// <param name="from">Where it came from.</param>
/// <param name="now">Virtual time.</param>
public delegate void DatagramReceiver(ReadOnlySpan<byte> bytes, PeerAddress from, TimeSpan now);
