using System.Buffers;
using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sessions;
using Microsoft.Extensions.Logging;

namespace Doorbell.Lanes;

/// <summary>
/// One session over one descriptor, and the calls for it that do not wait. A lane derives from it what it has to know of a connection
/// besides, and calls all else as it stands: nothing here is overridden.
/// </summary>
internal abstract unsafe class SocketConnection : ConnectionInfo, IServedConnection, IOpenConnection
{
    private const int NotAsked = 0;
    private const int AskedToDrain = 1;
    private const int AskedToAbort = 2;
    private const int AskedToMakeRoom = 4;
    private const int AskedToGiveBack = 8;

    private readonly LaneBell _bell;
    private long _id;
    private bool _closed;
    private int _asked;
    private RoomOrder? _roomOrder;

    /// <summary>What it held when it was asked to give that back.</summary>
    private long _heldWhenAsked;

    /// <summary>Of one that is being closed: who asked for that waits for this.</summary>
    private TaskCompletionSource? _awaited;

    /// <summary>For the log, of one that we opened: asked for while it is open.</summary>
    private PeerAddress _local;

    /// <param name="accepted">Its descriptor is this one's from here on.</param>
    /// <param name="context">What to serve.</param>
    /// <param name="bell">The lane's.</param>
    /// <param name="pool">Where its session's memory comes from.</param>
    protected SocketConnection(in AcceptedSocket accepted, ServerContext context, LaneBell bell, ArrayPool<byte> pool)
    {
        _bell = bell;
        Descriptor = accepted.Descriptor;
        At = accepted.At;
        Door = accepted.Door;
        TransportPeer = accepted.Peer;
        Context = context;
        Service service = accepted.At.Service;
        Session = new StreamSession(
            service.CreateStreamHandler(this), service.StreamLimits, this, bell, context.Ledger, pool, context.LayersAt(accepted.At));
    }

    /// <param name="connected">Its descriptor is this one's from here on.</param>
    /// <param name="context">Where to count and log.</param>
    /// <param name="bell">The lane's.</param>
    /// <param name="pool">Where its session's memory comes from.</param>
    protected SocketConnection(in ConnectedSocket connected, ServerContext context, LaneBell bell, ArrayPool<byte> pool)
    {
        _bell = bell;
        Descriptor = connected.Descriptor;
        Door = connected.Request.Endpoint;
        TransportPeer = connected.Peer;
        Context = context;
        Session = new StreamSession(connected.Request, this, bell, context.Ledger, pool);
    }

    public int Descriptor { get; }

    /// <summary>Where it came in, which has a place for it in the admission; null if we opened it.</summary>
    public Door? At { get; }

    public override long Id => ConnectionId.Of(ref _id);

    public override Endpoint Door { get; }

    public override PeerAddress TransportPeer { get; }

    public override PeerAddress Local => SocketAddresses.LocalOf(Descriptor);

    public override TransportState ReadTransport() => !_closed && TcpInfo.Of(Descriptor) is { } tcp
        ? new TransportState(tcp.IsClosed, tcp.IsDelivered)
        : TransportState.Unknown;

    public StreamSession Session { get; }

    public HandlerTasks HandlerTasks => Context.HandlerTasks;

    int IOpenConnection.ListIndex { get; set; }

    /// <summary>The server drains, and the session has not been told.</summary>
    public bool IsDrainAsked { get; set; }

    /// <summary>A receive is worth trying. It is so at first: a client's request often comes right behind its connection.</summary>
    public bool Readable { get; set; } = true;

    /// <summary>
    /// Receive until there is no more, though a receive brings less than there was room for: the peer has half-closed or reset, and
    /// nothing else will come to wake us, or its stream has marks at which a receive stops short: urgent data (tcp(7)), descriptors
    /// (unix(7)).
    /// </summary>
    public bool ReceivesToEnd { get; set; }

    /// <summary>Its peer sends much at once.</summary>
    public bool IsBulky { get; set; }

    /// <summary>A send is worth trying.</summary>
    public bool Writable { get; set; } = true;

    /// <summary>
    /// The kernel has said that the connection may have failed. While the session wants to receive or to send, that call finds the failure;
    /// for a session that wants neither, <see cref="FailIfBroken"/> does.
    /// </summary>
    public bool MayHaveFailed { get; set; }

    protected ServerContext Context { get; }

    public void Open(TimeSpan now)
    {
        if (Context.Log.IsEnabled(LogLevel.Information))
        {
            LogOpen();
        }

        Context.Connections.Add(this);
        Session.Opened(now, DateTimeOffset.UtcNow);
    }

    ConnectionSnapshot IOpenConnection.Read(TimeSpan now) => SessionReading.Of(this, Session, now);

    void IOpenConnection.AskToClose(CloseMode how)
    {
        Interlocked.Or(ref _asked, how == CloseMode.Abort ? AskedToAbort : AskedToDrain);
        _bell.Wake();
    }

    TimeSpan IOpenConnection.RestAt(TimeSpan now) => Session.RestAt(now);

    public RoomOrder? RoomOrder => Volatile.Read(ref _roomOrder);

    void IOpenConnection.AskToMakeRoom(RoomOrder order)
    {
        Volatile.Write(ref _roomOrder, order);
        Interlocked.Or(ref _asked, AskedToMakeRoom);
        _bell.Wake();
    }

    long IOpenConnection.HeldBytes => Session.HeldBytes;

    void IOpenConnection.AskToGiveBack(long held)
    {
        Volatile.Write(ref _heldWhenAsked, held);
        Interlocked.Or(ref _asked, AskedToGiveBack);
        _bell.Wake();
    }

    /// <summary>The lane has been woken, perhaps since this one is to be closed.</summary>
    public void CloseIfAsked(TimeSpan now)
    {
        if (Volatile.Read(ref _asked) == NotAsked)
        {
            return;
        }

        int asked = Interlocked.Exchange(ref _asked, NotAsked);
        if ((asked & AskedToAbort) != 0)
        {
            Session.Fail(CloseReason.ServerClosed);
        }

        if ((asked & AskedToDrain) != 0)
        {
            AskToDrain();
        }

        if ((asked & AskedToMakeRoom) != 0 && _roomOrder is { } order && (!order.TryTake() || !Session.TryMakeRoom(now)))
        {
            Volatile.Write(ref _roomOrder, null);
            Context.Admission.RoomNotMade(order);
        }

        if ((asked & AskedToGiveBack) != 0)
        {
            _ = Session.TryGiveBack(Volatile.Read(ref _heldWhenAsked), now);
        }
    }

    /// <summary>
    /// The server drains: the lane tells the session once that has what the kernel already holds, so that a request that has arrived is
    /// answered. Only a receive that finds nothing says that the kernel holds no more.
    /// </summary>
    public void AskToDrain() => IsDrainAsked = Readable = ReceivesToEnd = true;

    /// <summary>
    /// Whether it is time to tell the session that the server drains, as soon as it has what it wants of the kernel's: a session that is
    /// blocked is told at once, and again when it isn't.
    /// </summary>
    public bool MayTellDrain(Want wants) =>
        IsDrainAsked && ((wants & Want.Receive) != 0 || ((wants & Want.Yield) == 0 && !Session.Draining));

    /// <summary>Tells the session that the server drains.</summary>
    public void TellDrain(TimeSpan now) => IsDrainAsked = Session.Drain(now);

    /// <summary>Closes the descriptor by close(2), and ends the session. Does so once.</summary>
    public void Close()
    {
        if (TryBeginClose())
        {
            _ = Libc.close(Descriptor);
            EndSession();
        }
    }

    /// <summary>
    /// Makes the descriptor ready to be closed, and says whether it is to be closed now: that is so once, as its number may soon be another
    /// connection's. <see cref="EndSession"/> comes next.
    /// </summary>
    public bool TryBeginClose()
    {
        if (_closed)
        {
            return false;
        }

        _closed = true;
        _awaited = Context.Connections.Remove(this);
        if ((Session.Wants & Want.Abort) != 0
            || Session.Reason is CloseReason.DrainDeadline or CloseReason.ServerClosed
                or CloseReason.PeerReset or CloseReason.TransportFailed)
        {
            // An answer that was cut off must not look like a whole one to a peer that is still there.
            // struct linger { on, 0 seconds }: close(2) then sends a reset (socket(7)).
            long reset = BitConverter.IsLittleEndian ? 1 : 1L << 32;
            _ = Libc.setsockopt(Descriptor, Libc.SocketLevel, Libc.LingerOption, &reset, sizeof(long));
        }

        return true;
    }

    /// <summary>The descriptor is closed, or will be by what has been asked of the kernel: tells the session, and the log.</summary>
    public void EndSession()
    {
        Session.Closed();
        if (At is null)
        {
            Context.OutgoingOver();
        }

        Context.LogLayerFailure(this, Session.LayerFailure);
        if (Session.Fault is { } fault)
        {
            ServerLog.HandlerFaulted(Context.Log, this, fault);
        }

        if (Context.Log.IsEnabled(LogLevel.Information))
        {
            LogClosed();
        }

        _awaited?.SetResult();
    }

    /// <summary>Half-closes.</summary>
    public void Finish(TimeSpan now)
    {
        if (SystemCalls.Backend.Shutdown(Descriptor, Libc.ShutdownSend) == 0)
        {
            Session.Finished(now);
        }
        else
        {
            // ENOTCONN: the peer's reset has come in between.
            Fail("shutdown", LinuxErrno.Last);
        }
    }

    /// <summary>A call has failed: the connection is over, unless a signal came in between.</summary>
    public void Fail(string operation, int errno)
    {
        if (errno == Libc.Interrupted)
        {
            return;
        }

        bool reset = errno is Libc.ConnectionReset or Libc.ConnectionAborted or Libc.BrokenPipe or Libc.NotConnected;
        Session.Fail(reset ? CloseReason.PeerReset : CloseReason.TransportFailed);
        if (Context.Log.IsEnabled(LogLevel.Debug))
        {
            ServerLog.ConnectionFailed(
                Context.Log, NetworkException.FromErrno(operation, $"{Door} peer {Session.Peer}", errno).Message);
        }
    }

    /// <summary>
    /// Asks the kernel whether the connection has failed, without a call that moves bytes: a session that wants to move none, as its
    /// handler is parked, must not keep its place after the peer's reset.
    /// </summary>
    /// <returns>Whether it has: then the session is told.</returns>
    public bool FailIfBroken()
    {
        MayHaveFailed = false;

        // POLLERR is reported though it is not asked for (poll(2)), and for failures alone: SO_ERROR also has errors that TCP will get
        // over, such as a router that has no way to the peer for now (tcp_v4_err() in net/ipv4/tcp_ipv4.c).
        PollDescriptor polled = new() { Descriptor = Descriptor };
        int error = 0;
        int length = sizeof(int);
        bool isBroken = Libc.poll(&polled, 1, 0) > 0
            && (polled.Returned & PollDescriptor.Error) != 0
            && Libc.getsockopt(Descriptor, Libc.SocketLevel, Libc.ErrorOption, &error, &length) == 0
            && error != 0;
        if (isBroken)
        {
            Fail("receive", error);
        }

        return isBroken;
    }

    /// <summary>Receives once and tells the session; what that passes on is sent from where it was received.</summary>
    /// <param name="buffer">The lane's, as <see cref="ReceiveBuffers"/> lends it.</param>
    /// <param name="now">The time.</param>
    /// <returns>How many bytes came.</returns>
    public int ReceiveNow(ReceiveBuffer buffer, TimeSpan now)
    {
        Span<byte> room = buffer.Room;
        int count = (int)Receive(room, Libc.MessageDontWait);
        if (count <= 0)
        {
            ReceivedNothing(count, now);
            return 0;
        }

        if (count < ReceiveBuffer.MuchBytes)
        {
            Session.Received(room[..count], now);
            return count;
        }

        Session.Received(buffer.Memory[..(ReceiveBuffer.RestBytes + count)], ReceiveBuffer.RestBytes, now);
        if ((Session.Wants & Want.Send) != 0 && Writable)
        {
            SendNow(now);
        }

        Session.TakeBack();
        return count;
    }

    public void SendNow(TimeSpan now)
    {
        ReadOnlySpan<byte> outgoing = Session.Outgoing.Span;
        nint count;
        fixed (byte* bytes = outgoing)
        {
            count = SystemCalls.Backend.Send(Descriptor, bytes, outgoing.Length, Libc.MessageDontWait | Libc.MessageNoSignal);
        }

        if (count >= 0)
        {
            Writable = count == outgoing.Length;
            Session.Sent((int)count, now);
        }
        else if (LinuxErrno.Last == Libc.TryAgain)
        {
            Writable = false;
        }
        else
        {
            Fail("send", LinuxErrno.Last);
        }
    }

    protected nint Receive(Span<byte> buffer, int flags)
    {
        nint count;
        fixed (byte* bytes = buffer)
        {
            count = SystemCalls.Backend.Receive(Descriptor, bytes, buffer.Length, flags);
        }

        // Less than was room for: the kernel has no more now, and will say when it has (epoll(7), question 9). So it is with TCP: a receive
        // that does not wait heeds no signal before its queue is empty (tcp_recvmsg_locked() in net/ipv4/tcp.c).
        Readable = count == buffer.Length || (count > 0 && ReceivesToEnd);
        return count;
    }

    /// <summary>The end, or a failure.</summary>
    /// <returns>False if there was neither: nothing has come yet.</returns>
    protected bool ReceivedNothing(nint count, TimeSpan now)
    {
        if (count == 0)
        {
            Session.ReceivedEnd(now);
        }
        else if (LinuxErrno.Last == Libc.TryAgain)
        {
            return false;
        }
        else
        {
            Readable = true;
            Fail("receive", LinuxErrno.Last);
        }

        return true;
    }

    private void LogOpen()
    {
        if (At is null)
        {
            _local = Local;
            ServerLog.ConnectedTo(Context.Log, Door, _local, Id);
        }
        else
        {
            ServerLog.Connected(Context.Log, Door, Peer, Id);
        }
    }

    private void LogClosed() => ServerLog.Ended(Context.Log, this, Session, At is null ? _local : null);
}
