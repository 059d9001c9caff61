using System.Threading.Tasks.Sources;

namespace Doorbell.Tls;

/// <summary>
/// The stream below an SslStream: it reads the one record that it is fed, and writes into a connection's output. A read that finds nothing
/// waits; feeding it goes on with the reader on the same thread, before <see cref="Feed"/> returns.
/// </summary>
internal sealed unsafe class FedStream : Stream, IValueTaskSource<int>
{
    // Its continuations run where it is completed.
    private ManualResetValueTaskSourceCore<int> _read;
    private Memory<byte> _into;
    private bool _waits;
    private byte* _fed;
    private int _left;
    private int _thread;
    private OutputBuffer? _wire;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>A call of the layer begins: what is written goes to <paramref name="wire"/>, and no other thread may come.</summary>
    public void Enter(OutputBuffer wire) => (_wire, _thread) = (wire, Environment.CurrentManagedThreadId);

    /// <summary>The call ends.</summary>
    public void Leave() => (_wire, _thread) = (null, 0);

    /// <summary>Gives a whole record to the reader that waits, which takes all of it.</summary>
    /// <exception cref="InvalidOperationException">It did not: its continuation went to another thread.</exception>
    public void Feed(ReadOnlySpan<byte> record)
    {
        fixed (byte* start = record)
        {
            _fed = start;
            _left = record.Length;
            if (_waits)
            {
                _waits = false;
                Memory<byte> into = _into;
                _into = default;
                _read.SetResult(Take(into.Span));
            }

            bool isTaken = _left == 0;
            _fed = null;
            _left = 0;
            if (!isTaken)
            {
                throw new InvalidOperationException("A record was not read where it was fed: TLS has left its lane's thread.");
            }
        }
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        RequireLane();
        if (_left > 0)
        {
            return new ValueTask<int>(Take(buffer.Span));
        }

        _read.Reset();
        _into = buffer;
        _waits = true;
        return new ValueTask<int>(this, _read.Version);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        RequireLane();
        _wire!.Write(buffer.Span);
        return default;
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => _wire?.Write(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    int IValueTaskSource<int>.GetResult(short token) => _read.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _read.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _read.OnCompleted(continuation, state, token, ValueTaskSourceOnCompletedFlags.None);

    private int Take(Span<byte> into)
    {
        int count = Math.Min(into.Length, _left);
        new ReadOnlySpan<byte>(_fed, count).CopyTo(into);
        _fed += count;
        _left -= count;
        return count;
    }

    private void RequireLane()
    {
        if (_thread != Environment.CurrentManagedThreadId)
        {
            throw new InvalidOperationException("TLS has left its lane's thread.");
        }
    }
}
