using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Doorbell.Pipes;
using Doorbell.Serving;

namespace Doorbell;

/// <summary>
/// The second door: a connection's protocol as ordinary <c>async</c> code over pipes, for a service that awaits a database, a file or a
/// delay. Override <see cref="RunAsync"/>.
/// </summary>
/// <remarks>
/// The code runs on the thread pool, never on a lane. While it leaves input unread the session is parked: bytes wait in the kernel and
/// TCP slows the peer. While the peer leaves output untaken, flushing waits. The connection closes when the task ends; if it throws, the
/// connection is reset. The server's end waits for the task, up to the drain's deadline and a second.
/// </remarks>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Design", "CA1001", Justification = "The pipes' memory owns nothing that is not in use; the pipes give it back.")]
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
    private readonly PipeMemory _memory = new();
    private readonly Pipe _input;
    private readonly Pipe _output;
    private readonly InputReader _reader;
    private readonly PipeConnection _connection;
    private ValueTaskAwaiter<FlushResult> _inputFlush;
    private ValueTaskAwaiter<ReadResult> _outputRead;
    private HandlerTasks? _tasks;
    private Action? _ring;
    private bool _inputFull;
    private bool _inputEnded;
    private bool _peerEnded;
    private bool _outputAwaited;
    private bool _outputEnded;
    private bool _finished;
    private Exception? _fault;

    /// <summary>The code has returned or thrown; what is in <see cref="_fault"/> was written before.</summary>
    private volatile bool _returned;

    /// <summary>A handler for one connection.</summary>
    protected PipeHandler()
    {
        _input = new Pipe(Options(reader: PipeScheduler.ThreadPool, writer: PipeScheduler.Inline));
        _output = new Pipe(Options(reader: PipeScheduler.Inline, writer: PipeScheduler.ThreadPool));
        _reader = new InputReader(_input.Reader);
        _connection = new PipeConnection(_reader, _output.Writer);
    }

    /// <summary>Whether more input may come, and the code waits for it and has consumed all that came.</summary>
    public sealed override bool IsIdle => !_inputEnded && _reader.IsIdle;

    /// <summary>Serves the connection: reads from its input, writes to its output, and returns when it is done.</summary>
    /// <param name="connection">The connection. It closes when the task ends.</param>
    protected abstract Task RunAsync(PipeConnection connection);

    /// <inheritdoc/>
    public sealed override Next OnOpen(Turn turn)
    {
        _ring = turn.Bell.Ring;
        _memory.Held = turn.HeldMemory;
        _connection.Open(new ConnectionCopy(turn.Connection), _ring);
        _tasks = (turn.Connection as IServedConnection)?.HandlerTasks;
        _tasks?.Begin();
        _ = Task.Run(RunToEndAsync);
        return Advance(turn);
    }

    /// <inheritdoc/>
    public sealed override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
    {
        if (_inputEnded)
        {
            // The server drains and takes nothing new. Taken and dropped, so that a reset behind it is noticed.
            return Step.More(input.Length);
        }

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
        _peerEnded = true;
        EndInput();
        return Next.Park;
    }

    /// <inheritdoc/>
    public sealed override Next OnRing(Turn turn)
    {
        // A ring is a hint: only a look at the pipes tells what has changed.
        Next next = Advance(turn);
        return next != Next.Stay ? next : _peerEnded || StillFull() ? Next.Park : Next.More;
    }

    /// <inheritdoc/>
    public sealed override Next OnFlushed(Turn turn) => Advance(turn);

    /// <inheritdoc/>
    public sealed override Next OnAlarm(Turn turn) => Advance(turn);

    /// <inheritdoc/>
    public sealed override Next OnDrain(Turn turn)
    {
        _connection.Drain();
        _reader.RingWhenIdle(_ring!);
        return Next.Stay;
    }

    /// <inheritdoc/>
    public sealed override Next OnDrained(Turn turn)
    {
        // Only the code knows what is still in work: it gets the end of its input, and the connection closes when it returns.
        EndInput();
        return Next.Stay;
    }

    /// <inheritdoc/>
    public sealed override void OnClosed(CloseReason reason)
    {
        _outputEnded = true;
        _input.Writer.Complete();
        _output.Reader.Complete();
        _connection.Close(reason);
    }

    private PipeOptions Options(PipeScheduler reader, PipeScheduler writer) => new(
        pool: _memory,
        readerScheduler: reader,
        writerScheduler: writer,
        pauseWriterThreshold: HighMark,
        resumeWriterThreshold: HighMark / 2,
        useSynchronizationContext: false);

    private async Task RunToEndAsync()
    {
        try
        {
            await RunAsync(_connection);
        }
        catch (Exception fault)
        {
            _fault = fault;
        }

        _returned = true;
        await _input.Reader.CompleteAsync();
        await _output.Writer.CompleteAsync();
        _ring!();
        _tasks?.End();
    }

    private void EndInput()
    {
        _inputEnded = true;
        _input.Writer.Complete();
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

    /// <summary>Does for the session what the code has asked for meanwhile.</summary>
    private Next Advance(Turn turn)
    {
        _connection.OnTurn(turn);
        if (_connection.IsAborted)
        {
            return Next.Abort;
        }

        if (_returned && _fault is not null)
        {
            ExceptionDispatchInfo.Throw(_fault);
        }

        if (!_outputEnded)
        {
            MoveOutput(turn.Output);
        }

        if (!_outputEnded)
        {
            return Next.Stay;
        }

        if (_returned)
        {
            return Next.Close;
        }

        if (_finished)
        {
            return Next.Stay;
        }

        // Finishing un-parks; the ring parks again if there is no input to take.
        _finished = true;
        _ring!();
        return Next.Finish;
    }

    /// <summary>Moves what the code has written into the session's output, and asks to be rung for more.</summary>
    private void MoveOutput(OutputBuffer output)
    {
        while (!_outputEnded && output.Pending == 0)
        {
            if (!_outputAwaited)
            {
                _outputRead = _output.Reader.ReadAsync(CancellationToken.None).GetAwaiter();
                if (!_outputRead.IsCompleted)
                {
                    _outputAwaited = true;
                    _outputRead.UnsafeOnCompleted(_ring!);
                    return;
                }
            }
            else if (!_outputRead.IsCompleted)
            {
                return;
            }

            _outputAwaited = false;
            Move(_outputRead.GetResult(), output);
        }
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
}
