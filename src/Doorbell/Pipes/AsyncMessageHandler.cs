using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Doorbell.Serving;
using Doorbell.Sessions;

namespace Doorbell.Pipes;

/// <summary>
/// A stream of messages, each answered by a task. It takes messages as long as fewer are in work than may be, and then parks: bytes wait
/// in the kernel and TCP slows the peer. Answers are written on the lane, in the order of their questions unless any order will do.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage(
    "Design", "CA1001", Justification = "The source has no timer and no handle to dispose of; a session's end cancels it.")]
internal sealed class AsyncMessageHandler(Framing framing, AsyncMessageFunction answer, int maxConcurrent, bool answersInAnyOrder)
    : StreamHandler
{
    private readonly CancellationTokenSource _closed = new();

    /// <summary>In the order of their questions; the lane's alone.</summary>
    private readonly Queue<MessageInWork> _asked = new();

    /// <summary>In the order in which they became ready; unused where that order is not the answers'.</summary>
    private readonly ConcurrentQueue<MessageInWork> _ready = new();
    private readonly Stack<MessageInWork> _free = new();
    private HandlerTasks? _tasks;
    private ConnectionInfo? _connection;
    private HeldMemory? _memory;
    private Bell? _bell;
    private int _searched;
    private int _inWork;
    private bool _ended;

    public override bool IsIdle => _inWork == 0;

    public override Next OnOpen(Turn turn)
    {
        _bell = turn.Bell;
        _memory = turn.HeldMemory;
        _connection = new ConnectionCopy(turn.Connection);
        _tasks = (turn.Connection as IServedConnection)?.HandlerTasks;
        return Next.Stay;
    }

    public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
    {
        if (_inWork == maxConcurrent)
        {
            return Step.Park(0);
        }

        if (!framing.TryFind(input, _searched, out Frame frame))
        {
            _searched = input.Length;
            return Step.More(0);
        }

        _searched = 0;
        Begin(input[frame.Start..frame.Consumed], frame.Length);
        return _inWork == maxConcurrent ? Step.Park(frame.Consumed) : Step.More(frame.Consumed);
    }

    public override Next OnEnd(ReadOnlySpan<byte> rest, Turn turn)
    {
        _ended = true;
        if (!rest.IsEmpty)
        {
            if (!framing.EndCompletes)
            {
                return Next.Abort;
            }

            Begin(rest, rest.Length);
        }

        return _inWork == 0 ? Next.Close : Next.Park;
    }

    public override Next OnRing(Turn turn)
    {
        while (NextReady() is { } ready)
        {
            if (ready.Fault is { } fault)
            {
                ExceptionDispatchInfo.Throw(fault);
            }

            _inWork--;
            framing.Write(ready.Answer.Written.Span, ready.Terminator, turn.Output);
            turn.CountRequests(1);
            ready.Release();
            _free.Push(ready);
        }

        return _ended
            ? _inWork == 0 ? Next.Close : Next.Park
            : _inWork < maxConcurrent ? Next.More : Next.Park;
    }

    public override void OnClosed(CloseReason reason) => _ = _closed.CancelAsync();

    private MessageInWork? NextReady()
    {
        if (answersInAnyOrder)
        {
            return _ready.TryDequeue(out MessageInWork? ready) ? ready : null;
        }

        return _asked.TryPeek(out MessageInWork? next) && next.IsReady ? _asked.Dequeue() : null;
    }

    private void Begin(ReadOnlySpan<byte> frame, int length)
    {
        MessageInWork work = _free.TryPop(out MessageInWork? used) ? used : new MessageInWork(_memory);
        work.Begin(frame, length);
        if (!answersInAnyOrder)
        {
            _asked.Enqueue(work);
        }

        _inWork++;
        _tasks?.Begin();
        _ = Task.Run(() => AnswerAsync(work));
    }

    private async Task AnswerAsync(MessageInWork work)
    {
        try
        {
            await answer(work.Message, work.Answer, _connection!, _closed.Token);
        }
        catch (Exception fault)
        {
            work.Fault = fault;
        }

        work.IsReady = true;
        if (answersInAnyOrder)
        {
            _ready.Enqueue(work);
        }

        _bell!.Ring();
        _tasks?.End();
    }

    /// <summary>One message, from when it came until its answer is written.</summary>
    private sealed class MessageInWork(HeldMemory? memory)
    {
        private readonly PooledBuffer _frame = new() { Held = memory };
        private int _length;
        private volatile bool _isReady;

        public PooledBuffer Answer { get; } = new() { Held = memory };

        public ReadOnlyMemory<byte> Message => _frame.Written[.._length];

        public ReadOnlySpan<byte> Terminator => _frame.Written.Span[_length..];

        /// <summary>Written by the task before it is ready.</summary>
        public Exception? Fault { get; set; }

        public bool IsReady
        {
            get => _isReady;
            set => _isReady = value;
        }

        public void Begin(ReadOnlySpan<byte> frame, int length)
        {
            _frame.Write(frame);
            _length = length;
            _isReady = false;
        }

        public void Release()
        {
            _frame.Release();
            Answer.Release();
        }
    }
}
