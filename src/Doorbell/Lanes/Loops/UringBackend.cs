using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sessions;

namespace Doorbell.Lanes.Loops;

/// <summary>
/// Event loops on io_uring(7): one call submits all that is to be done and sleeps for what is done. Receives are multishot, into buffers
/// that the kernel chooses when there are bytes, so that an idle connection owns none; a send reads the session's own output, which is
/// kept until its completion. A connection is closed once nothing of it is under way.
/// </summary>
internal sealed unsafe class UringBackend : LaneBackend<UringConnection>
{
    /// <summary>So long a lane that has failed waits for what it has cancelled. It takes as long as a system call.</summary>
    private static readonly TimeSpan _maxToCancel = TimeSpan.FromSeconds(1);

    private readonly LoopLane<UringConnection> _lane;
    private readonly IoUring _ring;
    private readonly UringReceiver _receiver;
    private readonly RingAcceptor _accepting;
    private bool _pollsLoop;

    /// <summary>Those that may be told that the server drains, when no completion waits.</summary>
    private readonly Queue<UringConnection> _toldNext = new();
    private bool _tellsDrain;
    private bool _isOver;

    private UringBackend(LoopLane<UringConnection> lane, SharedSockets listeners, in RingSizes sizes)
    {
        _lane = lane;
        _ring = new IoUring(sizes.Submissions, sizes.Completions);
        try
        {
            _receiver = new UringReceiver(_ring, sizes);
        }
        catch
        {
            _ring.Dispose();
            throw;
        }

        _accepting = new RingAcceptor(listeners, lane.Context, _ring, lane.Acceptor);
    }

    public override int BuffersOut => _receiver.BuffersOut;

    private bool IsUnderWay => _pollsLoop || _accepting.IsUnderWay
        || _lane.Table.ToArray().Any(static open => open.Connection.Sending || open.Connection.Receiving);

    /// <summary>A lane on io_uring: see <see cref="LoopLane{TConnection}"/>.</summary>
    /// <exception cref="NetworkException">The system refuses what the lane needs.</exception>
    public static LoopLane<UringConnection> NewLane(
        SharedSockets listeners, ServerContext context, ShutdownEvents shutdown, RingSizes sizes,
        Func<TimeSpan, TimeSpan>? eachRound = null) =>
        new(listeners, context, shutdown, lane => new UringBackend(lane, listeners, sizes)) { EachRound = eachRound };

    public override UringConnection Make(in AcceptedSocket accepted, LaneBell bell) => new(accepted, _lane.Context, bell, _lane.Pool);

    public override UringConnection Make(in ConnectedSocket connected, LaneBell bell)
    {
        ConnectAttempts.LetWait(connected.Descriptor);
        return new UringConnection(connected, _lane.Context, bell, _lane.Pool);
    }

    public override void Watch(LoopConnection<UringConnection> connection) => connection.Connection.Token = connection.Token;

    public override void BeginAccepting() => _accepting.Begin();

    public override void AcceptSome(TimeSpan now)
    {
        if (_accepting.IsDone(_lane.Loop.AcceptsLast || _lane.Loop.IsAborting))
        {
            _lane.Acceptor.AcceptSome(now);
        }
    }

    public override TimeSpan Wait(int milliseconds)
    {
        if (!_pollsLoop)
        {
            _pollsLoop = true;
            _ring.Poll(_lane.Loop.Descriptor, Operation.UserData(Operation.Poll, 0));
        }

        _ring.Enter(_toldNext.Count == 0 ? 1u : 0u, milliseconds);
        TimeSpan now = MonotonicClock.Now;
        ProcessCompletions(now);
        if (_toldNext.Count > 0)
        {
            TellDrain(now);
        }

        return now;
    }

    /// <summary>Tells those whose time it is that the server drains: what the kernel has received for them is handed over first.</summary>
    private void TellDrain(TimeSpan now)
    {
        _ring.Enter(0, 0);
        ProcessCompletions(now);
        _tellsDrain = true;
        for (int count = _toldNext.Count; count > 0; count--)
        {
            UringConnection connection = _toldNext.Dequeue();
            if (_lane.Table[connection.Token] is { } open && open.Connection == connection)
            {
                _lane.Dispatch(open, News.Socket, now);
            }
        }

        _tellsDrain = false;
    }

    public override Progress Advance(UringConnection connection, TimeSpan now)
    {
        while (true)
        {
            Want wants = connection.Session.Wants;
            if ((wants & (Want.Abort | Want.Close | Want.Connect)) != 0)
            {
                return (wants & Want.Connect) != 0 ? Progress.Connecting : End(connection);
            }

            if ((wants & Want.Finish) != 0)
            {
                connection.Finish(now);
                continue;
            }

            if ((wants & Want.Send) != 0 && !connection.Sending)
            {
                Send(connection);
            }

            if ((wants & Want.Receive) != 0 && !connection.Receiving)
            {
                _receiver.Arm(connection);
            }

            if (connection.MayTellDrain(wants))
            {
                if (!_tellsDrain)
                {
                    // What the kernel has received for it may wait among the completions: they are taken first.
                    _toldNext.Enqueue(connection);
                }
                else if (!MayHaveMore(connection, wants))
                {
                    connection.TellDrain(now);
                    continue;
                }
            }

            if ((wants & (Want.Receive | Want.Send | Want.Yield)) == 0 && !connection.Receiving && !connection.Sending)
            {
                if (!connection.IsWatched)
                {
                    WatchForFailure(connection);
                }

                if (connection.MayHaveFailed && connection.FailIfBroken())
                {
                    continue;
                }
            }

            return (wants & Want.Yield) != 0 ? Progress.Busy : Progress.Waiting;
        }
    }

    /// <summary>The ring closes the descriptor, with what is submitted next.</summary>
    public override void Close(UringConnection connection)
    {
        if (connection.TryBeginClose())
        {
            if (connection.IsWatched)
            {
                _lane.Loop.Forget(connection.Descriptor);
            }

            CloseDescriptor(connection.Descriptor);
            connection.EndSession();
        }
    }

    public override void EndAll()
    {
        LoopConnection<UringConnection>[] all = _lane.Table.ToArray();
        Array.ForEach(all, static open => open.Connection.Ending = true);
        try
        {
            CancelAll();
        }
        catch (NetworkException)
        {
            // The ring itself fails: then its end ends what is under way.
        }

        EndRing();
        foreach (UringConnection connection in all.Select(static open => open.Connection).Where(static connection => connection.Sending))
        {
            connection.Sending = false;
            _lane.Pool.Reclaim(connection);
        }
    }

    public override void Dispose()
    {
        EndRing();
        _receiver.Dispose();
        _accepting.Dispose();
    }

    private void ProcessCompletions(TimeSpan now)
    {
        while (_ring.TryTake(out Completion completion))
        {
            byte operation = Operation.Of(completion.UserData);
            switch (operation)
            {
                case Operation.Receive:
                case Operation.Send:
                    OnCompletion(_lane.Table[Operation.TokenOf(completion.UserData)]!, operation, completion, now);
                    break;
                case Operation.Accept:
                    _accepting.Completed(Operation.TokenOf(completion.UserData), completion, now);
                    break;
                case Operation.Poll:
                    // What epoll watches for us: the bells, the listeners, the server's end.
                    _pollsLoop = false;
                    _lane.Loop.DispatchReady(now);
                    break;
            }
        }
    }

    private void OnCompletion(LoopConnection<UringConnection> open, byte operation, in Completion completion, TimeSpan now)
    {
        try
        {
            if (operation == Operation.Send)
            {
                Sent(open.Connection, completion.Result, now);
            }
            else
            {
                _receiver.OnCompletion(open.Connection, completion, now);
            }
        }
        catch (Exception fault)
        {
            _lane.Drop(open, fault);
            return;
        }

        _lane.Dispatch(open, News.Socket, now);
    }

    /// <summary>
    /// With no operation under way the ring tells nothing of a connection, so that a reset would be heard of only when its handler takes
    /// input again. The loop's epoll watches it until its end: for failures alone, and edge-triggered. A poll of the ring's would not do:
    /// it also ends at the peer's half-close, which has often come already (io_poll_parse_events() in io_uring/poll.c adds EPOLLRDHUP).
    /// </summary>
    private void WatchForFailure(UringConnection connection)
    {
        // If the kernel is short of memory, the next turn tries again.
        connection.IsWatched = _lane.Loop.TryWatch(connection.Descriptor, Epoll.Edge, OnFailure) == 0;

        void OnFailure(uint events, TimeSpan now)
        {
            // EPOLLHUP is no failure: it also comes when both sides have half-closed.
            if ((events & Epoll.Error) != 0 && _lane.Table[connection.Token] is { } open && open.Connection == connection)
            {
                connection.MayHaveFailed = true;
                _lane.Dispatch(open, News.Socket, now);
            }
        }
    }

    private void Send(UringConnection connection)
    {
        ReadOnlySpan<byte> outgoing = connection.Session.Outgoing.Span;
        nint length = outgoing.Length;
        ref Submission send = ref _ring.Next(ref length, Operation.Send, connection.Descriptor, connection.Token);
        fixed (byte* bytes = outgoing)
        {
            // It does not move: the lane's pool has pinned arrays alone.
            send.Address = (ulong)bytes;
        }

        send.Length = (uint)length;
        send.OperationFlags = Libc.MessageNoSignal;
        connection.Sending = true;
        connection.Writable = false;
        _lane.Pool.Lend(connection, connection.Session.Outgoing);
    }

    private void Sent(UringConnection connection, int result, TimeSpan now)
    {
        connection.Sending = false;
        connection.Writable = true;
        _lane.Pool.Reclaim(connection);
        if (connection.Ending)
        {
            return;
        }

        if (result >= 0)
        {
            connection.Session.Sent(result, now);
        }
        else if (-result != Libc.TryAgain)
        {
            connection.Fail("send", -result);
        }
    }

    /// <summary>
    /// Whether the kernel holds what the session wants and has not been handed. A failure found here is the connection's end: the kernel
    /// tells it once.
    /// </summary>
    private static bool MayHaveMore(UringConnection connection, Want wants)
    {
        if ((wants & Want.Receive) == 0)
        {
            return false;
        }

        byte first;
        nint count;
        do
        {
            count = SystemCalls.Backend.Receive(connection.Descriptor, &first, 1, Libc.MessageDontWait | Libc.MessagePeek);
        }
        while (count < 0 && LinuxErrno.Last == Libc.Interrupted);
        if (count < 0 && LinuxErrno.Last != Libc.TryAgain)
        {
            connection.Fail("receive", LinuxErrno.Last);
        }

        return count >= 0;
    }

    /// <summary>Nothing of ours is given back while the kernel may still use it.</summary>
    private Progress End(UringConnection connection)
    {
        if (!connection.Receiving && !connection.Sending)
        {
            return Progress.Over;
        }

        if (!connection.Ending)
        {
            connection.Ending = true;
            _ring.CancelAllOf(connection.Descriptor);
        }

        return Progress.Waiting;
    }

    private void CloseDescriptor(int descriptor)
    {
        if (_isOver)
        {
            _ = Libc.close(descriptor);
            return;
        }

        try
        {
            _ring.Close(descriptor);
        }
        catch (NetworkException)
        {
            // The lane's next wait fails of the same, and says so.
            _ = Libc.close(descriptor);
        }
    }

    /// <summary>Once: the last connections' descriptors are closed by what waits to be submitted.</summary>
    private void EndRing()
    {
        if (_isOver)
        {
            return;
        }

        _isOver = true;
        try
        {
            _ring.SubmitAll();
        }
        catch (NetworkException)
        {
            _ring.CloseUnsubmitted();
        }

        _ring.Dispose();
    }

    private void CancelAll()
    {
        _ring.CancelAll();
        TimeSpan now = MonotonicClock.Now;
        TimeSpan until = now + _maxToCancel;
        while (IsUnderWay && now < until)
        {
            _ring.Enter(1, MonotonicClock.MillisecondsTo(until, now) + 1);
            now = MonotonicClock.Now;
            while (_ring.TryTake(out Completion completion))
            {
                DiscardCompletion(completion, now);
            }
        }
    }

    /// <summary>What a lane that has failed is still told.</summary>
    private void DiscardCompletion(in Completion completion, TimeSpan now)
    {
        int token = Operation.TokenOf(completion.UserData);
        switch (Operation.Of(completion.UserData))
        {
            case Operation.Receive when _lane.Table[token] is { } open:
                _receiver.OnCompletion(open.Connection, completion, now);
                break;
            case Operation.Send when _lane.Table[token] is { } open:
                Sent(open.Connection, completion.Result, now);
                break;
            case Operation.Accept:
                _accepting.Discard(token, completion);
                break;
            case Operation.Poll:
                _pollsLoop = false;
                break;
        }
    }
}
