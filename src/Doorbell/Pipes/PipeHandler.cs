using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Doorbell.Pipes;

namespace Doorbell;

/// <summary>
/// The second door: a connection's protocol as ordinary <c>async</c> code over an <see cref="IDuplexPipe"/>, for a service that
/// awaits a database, a file or a delay. Override <see cref="RunAsync"/>.
/// </summary>
/// <remarks>
/// The code runs on the thread pool, never on a lane. While it leaves input unread the session is parked: bytes wait in the
/// kernel and TCP slows the peer. While the peer leaves output untaken, flushing waits. The connection closes when the task ends;
/// if it throws, the connection is reset.
/// </remarks>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Design", "CA1001", Justification = "The source has no timer and no handle to dispose of; a session's end cancels it.")]
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Reliability", "CA2012",
        Justification = "Each awaiter's result is taken exactly once, when it is complete: on the lane, after a ring.")]
public abstract class PipeHandler : StreamHandler
{
    /// <summary>With so many bytes unread no more are taken from the kernel; so many unsent, and a flush waits.</summary>
    private const int HighMark = 64 * 1024;

    /// <summary>Most bytes moved from the pipe to the session in one call.</summary>
    private const int MaxPerTurn = HighMark;

    // What continues the code runs on the thread pool; what continues the lane is only a ring, so it may run where it is.
    private readonly Pipe _input = new(Options(reader: PipeScheduler.ThreadPool, writer: PipeScheduler.Inline));
    private readonly Pipe _output = new(Options(reader: PipeScheduler.Inline, writer: PipeScheduler.ThreadPool));
    private readonly InputReader _reader;
    private readonly CancellationTokenSource _closed = new();
    private ValueTaskAwaiter<FlushResult> _inputFlush;
    private ValueTaskAwaiter<ReadResult> _outputRead;
    private Action? _ring;
    private bool _inputFull;
    private bool _outputAwaited;
    private bool _outputEnded;

    /// <summary>A handler for one connection.</summary>
    protected PipeHandler() => _reader = new InputReader(_input.Reader);

    /// <summary>Whether the code waits for input, has consumed all that came, and has flushed nothing that is not yet moved.</summary>
    public sealed override bool IsIdle => _reader.IsIdle && _outputAwaited && !_outputRead.IsCompleted;

    /// <summary>Serves the connection: reads from the pipe's input, writes to its output, and returns when it is done.</summary>
    /// <param name="connection">
    /// The connection. Its input completes when the peer half-closes. Both directions are completed for the code when it returns.
    /// </param>
    /// <param name="peer">Who is at the other end.</param>
    /// <param name="closed">Cancelled when the connection is gone: reset, timed out, or aborted at the end of a drain.</param>
    protected abstract Task RunAsync(IDuplexPipe connection, PeerAddress peer, CancellationToken closed);

    /// <inheritdoc/>
    public sealed override Next OnOpen(Turn turn)
    {
        _ring = turn.Bell.Ring;
        PeerAddress peer = turn.Peer;
        _ = Task.Run(() => RunToEndAsync(peer));
        return MoveOutput(turn);
    }

    /// <inheritdoc/>
    public sealed override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
    {
        if (StillFull())
        {
            return Step.Park(0);
        }

        _reader.Written(input.Length);
        _input.Writer.Write(input);
        _inputFlush = _input.Writer.FlushAsync(CancellationToken.None).GetAwaiter();
        _inputFull = true;
        if (StillFull())
        {
            _inputFlush.UnsafeOnCompleted(_ring!);
            return Step.Park(input.Length);
        }

        return Step.More(input.Length);
    }

    /// <inheritdoc/>
    public sealed override Next OnEnd(ReadOnlySpan<byte> rest, Turn turn)
    {
        _input.Writer.Complete();
        return Next.Park;
    }

    /// <inheritdoc/>
    public sealed override Next OnRing(Turn turn)
    {
        // A ring is a hint: only a look at the pipes tells what has changed.
        Next moved = MoveOutput(turn);
        return moved == Next.Close ? moved : StillFull() ? Next.Park : Next.More;
    }

    /// <inheritdoc/>
    public sealed override Next OnFlushed(Turn turn) => MoveOutput(turn);

    /// <inheritdoc/>
    public sealed override Next OnAlarm(Turn turn) => Next.Stay;

    /// <inheritdoc/>
    public sealed override Next OnDrain(Turn turn)
    {
        _reader.RingWhenIdle(_ring!);
        return Next.Stay;
    }

    /// <inheritdoc/>
    public sealed override void OnClosed(CloseReason reason)
    {
        _outputEnded = true;
        _input.Writer.Complete();
        _output.Reader.Complete();
        _closed.Cancel();
    }

    private static PipeOptions Options(PipeScheduler reader, PipeScheduler writer) => new(
        readerScheduler: reader,
        writerScheduler: writer,
        pauseWriterThreshold: HighMark,
        resumeWriterThreshold: HighMark / 2,
        useSynchronizationContext: false);

    private async Task RunToEndAsync(PeerAddress peer)
    {
        Exception? fault = null;
        try
        {
            await RunAsync(new Ends(_reader, _output.Writer), peer, _closed.Token);
        }
        catch (Exception thrown)
        {
            fault = thrown;
        }

        await _input.Reader.CompleteAsync(fault);
        await _output.Writer.CompleteAsync(fault);
    }

    /// <summary>Whether the code has left so much unread that no more may come.</summary>
    private bool StillFull()
    {
        if (_inputFull && _inputFlush.IsCompleted)
        {
            _inputFull = false;
            _inputFlush.GetResult();
        }

        return _inputFull;
    }

    /// <summary>Moves what the code has written into the session's output, and asks to be rung for more.</summary>
    private Next MoveOutput(Turn turn)
    {
        while (!_outputEnded && turn.Output.Pending == 0)
        {
            if (!_outputAwaited)
            {
                _outputRead = _output.Reader.ReadAsync(CancellationToken.None).GetAwaiter();
                if (!_outputRead.IsCompleted)
                {
                    _outputAwaited = true;
                    _outputRead.UnsafeOnCompleted(_ring!);
                    return Next.Stay;
                }
            }
            else if (!_outputRead.IsCompleted)
            {
                return Next.Stay;
            }

            _outputAwaited = false;
            Move(_outputRead.GetResult(), turn.Output);
        }

        return _outputEnded ? Next.Close : Next.Stay;
    }

    private void Move(ReadResult written, OutputBuffer output)
    {
        ReadOnlySequence<byte> bytes = written.Buffer;
        ReadOnlySequence<byte> now = bytes.Length > MaxPerTurn ? bytes.Slice(0, MaxPerTurn) : bytes;
        foreach (ReadOnlyMemory<byte> piece in now)
        {
            output.Write(piece.Span);
        }

        _output.Reader.AdvanceTo(now.End);
        _outputEnded = written.IsCompleted && now.Length == bytes.Length;
    }

    private sealed record Ends(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
