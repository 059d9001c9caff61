using System.Buffers;
using Doorbell.Cli.Input;

namespace Doorbell.Cli.Ends;

/// <summary>
/// Datagrams as a stream: each message that is written becomes a datagram, and each datagram that comes is read as a message. A datagram
/// that ends as a message does, such as a line with its LF, is not ended twice. Closing it closes the datagrams' socket.
/// </summary>
/// <param name="datagrams">Owned by this.</param>
/// <param name="framing">Where a message ends in the stream.</param>
internal sealed class FramedDatagrams(IDatagrams datagrams, Framing framing) : DuplexStream
{
    private readonly byte[] _buffer = new byte[ushort.MaxValue];
    private readonly ArrayBufferWriter<byte> _framed = new();
    private readonly ArrayBufferWriter<byte> _written = new();
    private int _taken;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_taken == _framed.WrittenCount)
        {
            int count = await datagrams.ReceiveAsync(_buffer, cancellationToken);
            if (count < 0)
            {
                return 0;
            }

            _framed.ResetWrittenCount();
            _taken = 0;
            Frame(_buffer.AsSpan(0, count));
        }

        int taken = Math.Min(buffer.Length, _framed.WrittenCount - _taken);
        _framed.WrittenMemory.Slice(_taken, taken).CopyTo(buffer);
        _taken += taken;
        return taken;
    }

    /// <summary>Sends the messages that are whole.</summary>
    /// <exception cref="IOException">A message has more bytes than a datagram can have.</exception>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        _written.Write(buffer.Span);
        ReadOnlyMemory<byte> rest = _written.WrittenMemory;
        while (framing.TryFind(rest.Span, searched: 0, out Frame frame))
        {
            await SendAsync(rest.Slice(frame.Start, frame.Length), cancellationToken);
            rest = rest[frame.Consumed..];
        }

        if (rest.Length > datagrams.MaxBytes + Framing.MaxHeaderBytes)
        {
            throw TooLong();
        }

        byte[] kept = rest.ToArray();
        _written.ResetWrittenCount();
        _written.Write(kept);
    }

    /// <summary>Sends what is left, if its end completes it.</summary>
    /// <exception cref="IOException">It is a part of a message.</exception>
    public async ValueTask EndAsync()
    {
        if (_written.WrittenCount == 0)
        {
            return;
        }

        if (!framing.EndCompletes)
        {
            throw new IOException($"the stream ended within a message, {_written.WrittenCount} bytes of it were not sent");
        }

        await SendAsync(_written.WrittenMemory, CancellationToken.None);
        _written.ResetWrittenCount();
    }

    protected override void Dispose(bool disposing)
    {
        datagrams.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellation)
    {
        if (message.Length > datagrams.MaxBytes)
        {
            throw TooLong();
        }

        await datagrams.SendAsync(message, cancellation);
    }

    private void Frame(ReadOnlySpan<byte> datagram)
    {
        ReadOnlySpan<byte> end = framing.Terminator;
        datagram = !end.IsEmpty && datagram.EndsWith(end) ? datagram[..^end.Length] : datagram;
        try
        {
            framing.Write(datagram, _framed);
        }
        catch (InvalidOperationException unfit)
        {
            throw new IOException(unfit.Message, unfit);
        }
    }

    private IOException TooLong() =>
        new($"a message of the stream has more than {datagrams.MaxBytes} bytes, which no datagram has");
}
