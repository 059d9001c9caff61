namespace Doorbell;

/// <summary>
/// An event loop on io_uring(7): one call submits all that is to be done and sleeps for what is done. Receives are multishot, into buffers
/// that the kernel chooses when there are bytes, so that an idle connection owns none; a send reads the session's own output, which is
/// kept until its completion. A connection is closed once nothing of it is under way.
/// </summary>
internal sealed unsafe partial class UringLane : LoopLane
{
    private readonly RingSizes _sizes;
    private readonly IoUring _ring;
    private readonly ProvidedBuffers _buffers;
    private readonly byte[] _buffer = ReceiveBuffers.Take();
    private readonly MultishotAcceptor _multishot;
    private bool _polls;
    private bool _drainAsked;

    public UringLane(IReadOnlyList<BoundSocket> listeners, Listeners all, Serving serving, StopEvents stop)
        : base(listeners, all, serving, stop)
    {
        _sizes = serving.Options.RingSizes;
        try
        {
            _ring = new IoUring(_sizes.Submissions, _sizes.Completions);
            _buffers = new ProvidedBuffers(_ring, group: 0, _sizes.Buffers, _sizes.BufferBytes);
        }
        catch
        {
            Dispose();
            throw;
        }

        _multishot = new MultishotAcceptor(listeners, Serving, _ring, Acceptor);
    }

    public override int BuffersOut => _buffers.Out;

    public override Connection Make(in Accepted accepted, Bell bell) => new RingConnection(accepted, this, Serving, bell, Pool);

    protected override void BeginAccepting() => _multishot.Begin();

    protected override void AcceptSome(TimeSpan now)
    {
        if (_multishot.IsDone(IsDraining || Serving.Stop.Aborting.IsCancellationRequested))
        {
            Acceptor.AcceptSome(now, IsDraining);
        }
    }

    protected override TimeSpan Wait(int milliseconds)
    {
        if (!_polls)
        {
            _polls = true;
            Poll(Epoll.Descriptor, Operation.UserData(Operation.Poll, 0));
        }

        _ring.Enter(1, milliseconds);
        TimeSpan now = MonotonicClock.Now;
        HeedCompletions(now);
        if (_drainAsked)
        {
            // All that had arrived when the drain began is handed over first.
            _ring.Enter(0, 0);
            HeedCompletions(now);
            _drainAsked = false;
            foreach (LoopConnection connection in Table.ToArray())
            {
                Tell(connection, News.OfTheSocket, now);
            }
        }

        return now;
    }

    protected override void Watch(LoopConnection connection) => ((RingConnection)connection.Connection).Token = connection.Token;

    protected override void DrainAsked() => _drainAsked = true;

    protected override Progress Advance(Connection connection, TimeSpan now)
    {
        RingConnection ring = (RingConnection)connection;
        while (true)
        {
            Want wants = ring.Session.Wants;
            if ((wants & (Want.Abort | Want.Close)) != 0)
            {
                return End(ring);
            }

            if ((wants & Want.Finish) != 0)
            {
                ring.Finish(now);
                continue;
            }

            if ((wants & Want.Send) != 0 && !ring.Sending)
            {
                Send(ring);
            }

            if ((wants & Want.Receive) != 0 && !ring.Receiving)
            {
                Receive(ring);
            }

            if (ring.IsDrainAsked && !_drainAsked && !MayHaveMore(ring, wants))
            {
                ring.IsDrainAsked = false;
                ring.Session.Drain(now);
                continue;
            }

            return (wants & Want.Turn) != 0 ? Progress.Busy : Progress.Waiting;
        }
    }

    private void HeedCompletions(TimeSpan now)
    {
        while (_ring.TryTake(out Completion completion))
        {
            byte operation = Operation.Of(completion.UserData);
            switch (operation)
            {
                case Operation.Receive:
                case Operation.Send:
                    Heed(Table[Operation.TokenOf(completion.UserData)]!, operation, completion, now);
                    break;
                case Operation.Accept:
                    _multishot.Completed(Operation.TokenOf(completion.UserData), completion, now);
                    break;
                case Operation.Poll:
                    HeedOthers(now);
                    break;
            }
        }
    }

    /// <summary>What epoll watches for us: the bells, the listeners, the server's end.</summary>
    private void HeedOthers(TimeSpan now)
    {
        _polls = false;
        int count = Epoll.Wait(0);
        for (int i = 0; i < count; i++)
        {
            Heed(Epoll[i].Token, now);
        }
    }

    private void Heed(LoopConnection connection, byte operation, in Completion completion, TimeSpan now)
    {
        RingConnection ring = (RingConnection)connection.Connection;
        try
        {
            if (operation == Operation.Send)
            {
                Sent(ring, completion.Result, now);
            }
            else
            {
                Received(ring, completion, now);
            }
        }
        catch (Exception fault)
        {
            Drop(connection, fault);
            return;
        }

        Tell(connection, News.OfTheSocket, now);
    }

    private void Sent(RingConnection ring, int result, TimeSpan now)
    {
        ring.Sending = false;
        ring.Writable = true;
        Pool.CameBack(ring);
        if (ring.Ending)
        {
            return;
        }

        if (result >= 0)
        {
            ring.Session.Sent(result, now);
        }
        else if (-result != Libc.TryAgain)
        {
            ring.Fail("send", -result);
        }
    }

    private void Send(RingConnection ring)
    {
        ReadOnlySpan<byte> outgoing = ring.Session.Outgoing.Span;
        nint length = outgoing.Length;
        ref Submission send = ref _ring.Next(SystemCall.Send, ref length, Operation.Send, ring.Descriptor, ring.Token);
        fixed (byte* bytes = outgoing)
        {
            // It does not move: the lane's pool has pinned arrays alone.
            send.Address = (ulong)bytes;
        }

        send.Length = (uint)length;
        send.OperationFlags = Libc.MessageNoSignal;
        ring.Sending = true;
        ring.Writable = false;
        Pool.Lend(ring, ring.Session.Outgoing);
    }

    private void Poll(int descriptor, ulong userData)
    {
        ref Submission poll = ref _ring.Next();
        poll.Operation = Operation.Poll;
        poll.Descriptor = descriptor;
        poll.OperationFlags = Epoll.In;
        poll.UserData = userData;
    }

    /// <summary>Whether the kernel holds what the session wants and has not been handed. A failure is told once: heed it.</summary>
    private static bool MayHaveMore(RingConnection ring, Want wants)
    {
        if ((wants & Want.Receive) == 0)
        {
            return false;
        }

        byte first;
        nint count;
        do
        {
            count = Libc.recv(ring.Descriptor, &first, 1, Libc.MessageDontWait | Libc.MessagePeek);
        }
        while (count < 0 && LinuxErrno.Last == Libc.Interrupted);
        if (count < 0 && LinuxErrno.Last != Libc.TryAgain)
        {
            ring.Fail("receive", LinuxErrno.Last);
        }

        return count >= 0;
    }
}
