using System.IO.Pipelines;

namespace Doorbell.Pipes;

/// <summary>
/// The reading end that a <see cref="PipeHandler"/>'s code gets: a pipe's own, which also knows whether the code only waits for
/// input, so that a drain closes idle connections and waits for busy ones.
/// </summary>
internal sealed class InputReader(PipeReader pipe) : PipeReader
{
    private System.Buffers.ReadOnlySequence<byte> _lent;
    private Action? _ringWhenIdle;
    private long _written;
    private long _consumed;
    private volatile bool _waiting;

    /// <summary>Whether the code waits for input and has consumed all that came. Any thread may ask.</summary>
    public bool IsIdle => _waiting && Volatile.Read(ref _consumed) == Volatile.Read(ref _written);

    /// <summary>The lane is about to write so many bytes into the pipe.</summary>
    public void Written(int count) => Volatile.Write(ref _written, _written + count);

    /// <summary>From now on, rings whenever the code comes to wait for input.</summary>
    public void RingWhenIdle(Action ring)
    {
        Volatile.Write(ref _ringWhenIdle, ring);
        if (IsIdle)
        {
            ring();
        }
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ValueTask<ReadResult> read = pipe.ReadAsync(cancellationToken);
        if (read.IsCompletedSuccessfully)
        {
            return new ValueTask<ReadResult>(Lend(read.Result));
        }

        _waiting = true;
        Volatile.Read(ref _ringWhenIdle)?.Invoke();
        return AwaitAsync(read);
    }

    public override bool TryRead(out ReadResult result)
    {
        bool any = pipe.TryRead(out result);
        if (any)
        {
            Lend(result);
        }

        return any;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        Volatile.Write(ref _consumed, _consumed + _lent.Slice(0, consumed).Length);
        _lent = default;
        pipe.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => pipe.CancelPendingRead();

    public override void Complete(Exception? exception = null) => pipe.Complete(exception);

    private async ValueTask<ReadResult> AwaitAsync(ValueTask<ReadResult> read)
    {
        try
        {
            return Lend(await read);
        }
        finally
        {
            // Also when the code has given up waiting: then it is doing something else.
            _waiting = false;
        }
    }

    private ReadResult Lend(ReadResult result)
    {
        _lent = result.Buffer;
        return result;
    }
}
