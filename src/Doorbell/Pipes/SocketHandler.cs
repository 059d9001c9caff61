using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Doorbell.Pipes;

/// <summary>
/// Carries a connection's bytes to and from a socket of this machine. In each direction it holds 64 KiB at most and lets the other side
/// wait; an end in order is passed on as one, and any other end as a reset.
/// </summary>
/// <remarks>The lane calls the handler; a task of its own moves bytes in each direction of the socket, which it owns.</remarks>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Reliability", "CA2012", Justification = "Each awaiter's result is taken once, when it is complete: on the lane, after a ring.")]
internal sealed class SocketHandler(Socket socket) : StreamHandler
{
    private const int HighMark = 64 * 1024;
    private const int ReceiveBytes = 16 * 1024;

    private readonly Pipe _toSocket = new(new PipeOptions(
        readerScheduler: PipeScheduler.ThreadPool, writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: HighMark,
        resumeWriterThreshold: HighMark / 2, useSynchronizationContext: false));

    private readonly Pipe _toPeer = new(new PipeOptions(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.ThreadPool, pauseWriterThreshold: HighMark,
        resumeWriterThreshold: HighMark / 2, useSynchronizationContext: false));

    private readonly TaskCompletionSource<ConnectionInfo> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ValueTaskAwaiter<FlushResult> _flush;
    private ValueTaskAwaiter<ReadResult> _read;
    private Action? _ring;
    private bool _isFull;
    private bool _isAwaited;
    private bool _isFinished;
    private bool _hasEnded;
    private CloseReason _reason;

    /// <summary>It has ended, and not in order; what is in <see cref="_reason"/> was written before.</summary>
    private volatile bool _isCut;

    /// <summary>Ends when the connection and its layers are open. Cancelled if they don't open.</summary>
    public Task<ConnectionInfo> Opened => _opened.Task;

    /// <summary>Is told why the connection was cut off, before the socket is reset.</summary>
    public Action<CloseReason>? BeforeCut { get; set; }

    /// <summary>Ends when nothing moves any more. Does not fail.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    public override Next OnOpen(Turn turn)
    {
        _ring = turn.Bell.Ring;
        Completion = Task.WhenAll(Task.Run(SendAsync), Task.Run(ReceiveAsync));
        _opened.SetResult(turn.Connection);
        return Advance(turn);
    }

    public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
    {
        if (IsFull())
        {
            return Step.Park(0);
        }

        _toSocket.Writer.Write(input);
        _flush = _toSocket.Writer.FlushAsync(CancellationToken.None).GetAwaiter();
        _isFull = true;
        if (!IsFull())
        {
            return Step.More(input.Length);
        }

        _flush.UnsafeOnCompleted(_ring!);
        return Step.Park(input.Length);
    }

    public override Next OnEnd(ReadOnlySpan<byte> rest, Turn turn)
    {
        _hasEnded = true;
        _toSocket.Writer.Complete();
        return Advance(turn);
    }

    public override Next OnRing(Turn turn)
    {
        Next next = Advance(turn);
        return next != Next.Stay || _hasEnded ? next : IsFull() ? Next.Park : Next.More;
    }

    public override Next OnFlushed(Turn turn) => Advance(turn);

    public override void OnClosed(CloseReason reason)
    {
        _reason = reason;
        _isCut = !_hasEnded;
        _toSocket.Writer.Complete();
        _toPeer.Reader.Complete();
        _opened.TrySetCanceled();
    }

    private bool IsFull()
    {
        if (_isFull && _flush.IsCompleted)
        {
            _isFull = false;
            _ = _flush.GetResult();
        }

        return _isFull;
    }

    /// <summary>Moves what the socket gave into the output, while there is nothing else in it.</summary>
    private Next Advance(Turn turn)
    {
        while (!_isFinished && turn.Output.Pending == 0)
        {
            if (!_isAwaited)
            {
                _read = _toPeer.Reader.ReadAsync(CancellationToken.None).GetAwaiter();
                _isAwaited = true;
                if (!_read.IsCompleted)
                {
                    _read.UnsafeOnCompleted(_ring!);
                    return Next.Stay;
                }
            }
            else if (!_read.IsCompleted)
            {
                return Next.Stay;
            }

            _isAwaited = false;
            ReadResult read = _read.GetResult();
            foreach (ReadOnlyMemory<byte> piece in read.Buffer)
            {
                turn.Output.Write(piece.Span);
            }

            _toPeer.Reader.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                _isFinished = true;
                return Next.Finish;
            }
        }

        return Next.Stay;
    }

    /// <summary>To the socket, until the peer has ended or was cut off.</summary>
    private async Task SendAsync()
    {
        PipeReader reader = _toSocket.Reader;
        try
        {
            ReadResult read;
            do
            {
                read = await reader.ReadAsync();
                foreach (ReadOnlyMemory<byte> piece in read.Buffer)
                {
                    for (int sent = 0; sent < piece.Length;)
                    {
                        sent += await socket.SendAsync(piece[sent..]);
                    }
                }

                reader.AdvanceTo(read.Buffer.End);
            }
            while (!read.IsCompleted);

            if (_isCut)
            {
                BeforeCut?.Invoke(_reason);
                socket.LingerState = new LingerOption(true, 0);
                socket.Dispose();
            }
            else
            {
                socket.Shutdown(SocketShutdown.Send);
            }
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // Whoever has the other end takes no more: what comes is dropped, and the peer is told when that end is closed.
        }
        finally
        {
            await reader.CompleteAsync();
        }
    }

    /// <summary>From the socket, until whoever has its other end has ended.</summary>
    private async Task ReceiveAsync()
    {
        PipeWriter writer = _toPeer.Writer;
        try
        {
            while (true)
            {
                int count = await socket.ReceiveAsync(writer.GetMemory(ReceiveBytes));
                writer.Advance(count);
                if (count == 0 || (await writer.FlushAsync()).IsCompleted)
                {
                    break;
                }
            }
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // The end that was closed with bytes unread is an end all the same: what was sent before is the peer's.
        }
        finally
        {
            await writer.CompleteAsync();
        }
    }
}
