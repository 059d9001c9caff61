using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sessions;
using Doorbell.Sockets;

namespace Doorbell.Lanes.Loops;

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

    public UringLane(IReadOnlyList<DoorSocket> listeners, SharedListeners all, ServerContext context, ShutdownEvents shutdown)
        : base(listeners, all, context, shutdown)
    {
        _sizes = context.Options.RingSizes;
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

        _multishot = new MultishotAcceptor(listeners, Context, _ring, Acceptor);
    }

    public override int BuffersOut => _buffers.Out;

    public override SocketConnection Make(in AcceptedSocket accepted, LaneBell bell) => new UringConnection(accepted, this, Context, bell, Pool);

    public override SocketConnection Make(in ConnectedSocket connected, LaneBell bell)
    {
        ConnectAttempts.LetWait(connected.Descriptor);
        return new UringConnection(connected, this, Context, bell, Pool);
    }

    protected override void BeginAccepting() => _multishot.Begin();

    protected override void AcceptSome(TimeSpan now)
    {
        if (_multishot.IsDone(AcceptsLast || Context.Shutdown.Aborting.IsCancellationRequested))
        {
            Acceptor.AcceptSome(now, AcceptsLast);
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
        ProcessCompletions(now);
        if (_drainAsked)
        {
            // All that had arrived when the drain began is handed over first.
            _ring.Enter(0, 0);
            ProcessCompletions(now);
            _drainAsked = false;
            foreach (LoopConnection connection in Table.ToArray())
            {
                Dispatch(connection, News.Socket, now);
            }
        }

        return now;
    }

    protected override void Watch(LoopConnection connection) => ((UringConnection)connection.Connection).Token = connection.Token;

    protected override void WatchConnected(LoopConnection connection)
    {
        Epoll.Forget(connection.Connection.Descriptor);
        Watch(connection);
    }

    protected override void DrainAsked() => _drainAsked = true;

    protected override Progress Advance(SocketConnection socket, TimeSpan now)
    {
        UringConnection connection = (UringConnection)socket;
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
                Receive(connection);
            }

            if (connection.IsDrainAsked && !_drainAsked && !MayHaveMore(connection, wants))
            {
                connection.IsDrainAsked = false;
                connection.Session.Drain(now);
                continue;
            }

            return (wants & Want.Yield) != 0 ? Progress.Busy : Progress.Waiting;
        }
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
                    OnCompletion(Table[Operation.TokenOf(completion.UserData)]!, operation, completion, now);
                    break;
                case Operation.Accept:
                    _multishot.Completed(Operation.TokenOf(completion.UserData), completion, now);
                    break;
                case Operation.Poll:
                    ProcessEpollEvents(now);
                    break;
            }
        }
    }

    /// <summary>What epoll watches for us: the bells, the listeners, the server's end.</summary>
    private void ProcessEpollEvents(TimeSpan now)
    {
        _polls = false;
        int count = Epoll.Wait(0);
        for (int i = 0; i < count; i++)
        {
            (uint events, int token) = Epoll[i];
            OnEvents(events, token, now);
        }
    }

    private void OnCompletion(LoopConnection open, byte operation, in Completion completion, TimeSpan now)
    {
        UringConnection connection = (UringConnection)open.Connection;
        try
        {
            if (operation == Operation.Send)
            {
                Sent(connection, completion.Result, now);
            }
            else
            {
                Received(connection, completion, now);
            }
        }
        catch (Exception fault)
        {
            Drop(open, fault);
            return;
        }

        Dispatch(open, News.Socket, now);
    }

    private void Sent(UringConnection connection, int result, TimeSpan now)
    {
        connection.Sending = false;
        connection.Writable = true;
        Pool.Reclaim(connection);
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

    private void Send(UringConnection connection)
    {
        ReadOnlySpan<byte> outgoing = connection.Session.Outgoing.Span;
        nint length = outgoing.Length;
        ref Submission send = ref _ring.Next(SystemCall.Send, ref length, Operation.Send, connection.Descriptor, connection.Token);
        fixed (byte* bytes = outgoing)
        {
            // It does not move: the lane's pool has pinned arrays alone.
            send.Address = (ulong)bytes;
        }

        send.Length = (uint)length;
        send.OperationFlags = Libc.MessageNoSignal;
        connection.Sending = true;
        connection.Writable = false;
        Pool.Lend(connection, connection.Session.Outgoing);
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
            count = Libc.recv(connection.Descriptor, &first, 1, Libc.MessageDontWait | Libc.MessagePeek);
        }
        while (count < 0 && LinuxErrno.Last == Libc.Interrupted);
        if (count < 0 && LinuxErrno.Last != Libc.TryAgain)
        {
            connection.Fail("receive", LinuxErrno.Last);
        }

        return count >= 0;
    }
}
