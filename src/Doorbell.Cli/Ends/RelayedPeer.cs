using System.Threading.Channels;

namespace Doorbell.Cli.Ends;

/// <summary>One peer of a datagram socket that many share. At most 64 KiB, or 64 datagrams, of its wait: what comes then is lost.</summary>
/// <param name="address">The peer's; unproved, as addresses can be forged.</param>
/// <param name="local">The address of ours that it knows.</param>
/// <param name="send">Sends to it.</param>
internal sealed class RelayedPeer(PeerAddress address, PeerAddress local, Func<DatagramAnswer, CancellationToken, ValueTask> send)
    : IDatagrams
{
    private const int MaxWaiting = 64;
    private const int MaxWaitingBytes = 64 * 1024;

    private readonly Channel<byte[]> _waiting = Channel.CreateBounded<byte[]>(MaxWaiting);
    private int _waitingBytes;

    public PeerAddress Address => address;

    public int MaxBytes => address.Kind == AddressKind.IPv6 ? DatagramLimits.MaxIPv6Bytes : DatagramLimits.MaxIPv4Bytes;

    /// <summary>A datagram has come from it. False if it is lost, since too much waits.</summary>
    public bool TryTake(ReadOnlySpan<byte> datagram)
    {
        // Counted first: whoever receives it may be quicker.
        if (Interlocked.Add(ref _waitingBytes, datagram.Length) <= MaxWaitingBytes && _waiting.Writer.TryWrite(datagram.ToArray()))
        {
            return true;
        }

        Interlocked.Add(ref _waitingBytes, -datagram.Length);
        return false;
    }

    public async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        byte[] datagram = await _waiting.Reader.ReadAsync(cancellation);
        Interlocked.Add(ref _waitingBytes, -datagram.Length);
        datagram.CopyTo(buffer);
        return datagram.Length;
    }

    public ValueTask SendAsync(ReadOnlyMemory<byte> datagram, CancellationToken cancellation) =>
        send(new DatagramAnswer(address, local, datagram.ToArray()), cancellation);

    public void Dispose() => _waiting.Writer.TryComplete();
}
