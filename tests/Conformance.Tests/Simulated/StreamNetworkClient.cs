namespace Doorbell.Tests;

/// <summary>A client on a <see cref="StreamNetwork"/>.</summary>
internal sealed class StreamNetworkClient(StreamNetworkClient.SendBytes send, Action reset)
{
    public delegate void SendBytes(ReadOnlySpan<byte> bytes);

    public void Send(ReadOnlySpan<byte> bytes) => send(bytes);

    public void Reset() => reset();
}
