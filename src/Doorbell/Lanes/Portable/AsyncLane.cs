using System.Net;
using System.Net.Sockets;
using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sessions;

namespace Doorbell.Lanes.Portable;

/// <summary>
/// A lane that is a task, carrying one session over one socket. It does what the session wants, then sleeps until the socket, the
/// bell, the timer or the server has news.
/// </summary>
/// <remarks>
/// It waits for input with a receive of no bytes and takes a buffer only when there is something to put in it, so an idle
/// connection owns none. Sends and receives may be under way at once; only this task touches the session.
/// </remarks>
internal sealed class AsyncLane : ConnectionInfo, IServedConnection, IOpenConnection, IDisposable
{
    /// <summary>So many operations without sleeping, then other lanes get the thread.</summary>
    private const int OperationsPerRound = 64;

    /// <summary>Without an operation under way no completion tells of a reset: the lane looks for one so often.</summary>
    private static readonly TimeSpan _looksEvery = TimeSpan.FromSeconds(1);

    private readonly Socket _socket;
    private readonly Endpoint _door;
    private readonly LaneContext _context;
    private readonly Action<ConnectRequest> _connect;
    private readonly StreamSession _session;
    private readonly AsyncTransfers _transfers;
    private readonly bool _isOurs;
    private readonly LaneSignal _signal = new();
    private readonly Timer _timer;
    private TimeSpan _timerDue = TimeSpan.MaxValue;
    private bool _drainAsked;
    private volatile bool _orderlyAsked;
    private volatile bool _abortAsked;
    private volatile bool _roomAsked;
    private volatile RoomOrder? _roomOrder;

    /// <summary>What it held when it was asked to give that back; -1 if it was not asked.</summary>
    private long _heldWhenAsked = -1;
    private readonly ServerContext? _server;
    private long _id;
    private PeerAddress _local;

    /// <summary>For a connection that was accepted.</summary>
    /// <param name="socket">The lane's from here on.</param>
    /// <param name="door">Where it came in.</param>
    /// <param name="context">Where to count, log and stop.</param>
    /// <param name="peer">Whose it is.</param>
    /// <param name="connect">Takes the connections that the handler asks for.</param>
    public AsyncLane(Socket socket, Door door, ServerContext context, PeerAddress peer, Action<ConnectRequest> connect)
        : this(socket, door.Endpoint, context, peer, connect)
    {
        (_server, At) = (context, door);
        Service service = door.Service;
        _session = new StreamSession(
            service.CreateStreamHandler(this),
            service.StreamLimits,
            this,
            _signal,
            context.Ledger,
            context.Pool,
            context.LayersAt(door));
        _transfers = new AsyncTransfers(socket, _session, _signal, _door, context.Log);
    }

    /// <summary>For a connection that a handler asked for.</summary>
    /// <param name="socket">Connected; the lane's from here on.</param>
    /// <param name="request">What was asked for.</param>
    /// <param name="context">Where to count, log and stop.</param>
    /// <param name="connect">Takes the connections that the handler asks for.</param>
    public AsyncLane(Socket socket, ConnectRequest request, LaneContext context, Action<ConnectRequest> connect)
        : this(socket, request.Endpoint, context, PeerOf(socket, request.Endpoint), connect)
    {
        _isOurs = true;
        _session = new StreamSession(request, this, _signal, context.Ledger, context.Pool);
        _transfers = new AsyncTransfers(socket, _session, _signal, _door, context.Log);
    }

    private AsyncLane(Socket socket, Endpoint door, LaneContext context, PeerAddress peer, Action<ConnectRequest> connect)
    {
        _session = null!;
        _transfers = null!;
        _door = door;
        TransportPeer = peer;
        _socket = socket;
        _context = context;
        _connect = connect;
        _timer = new Timer(
            static signal => ((LaneSignal)signal!).RaiseElsewhere(LaneEvents.Due), _signal, Timeout.Infinite, Timeout.Infinite);
    }

    public override long Id => ConnectionId.Of(ref _id);

    public override Endpoint Door => _door;

    public override PeerAddress TransportPeer { get; }

    public override PeerAddress Local => _socket.LocalEndPoint is IPEndPoint local ? PeerAddress.From(local) : PeerAddress.FromUnix(null);

    public override TransportState ReadTransport() =>
        OperatingSystem.IsLinux() && !_socket.SafeHandle.IsClosed && TcpInfo.Of((int)_socket.Handle) is { } tcp
            ? new TransportState(tcp.IsClosed, tcp.IsDelivered)
            : TransportState.Unknown;

    public HandlerTasks HandlerTasks => _context.HandlerTasks;

    /// <summary>The session wants nothing of the socket, and nothing is under way that would tell of a failure.</summary>
    private bool HearsNothing => _session.Wants == Want.None && !_transfers.IsSending && !_transfers.IsWaitingForInput;

    /// <summary>Where it came in; null if we opened it.</summary>
    public Door? At { get; }

    int IOpenConnection.ListIndex { get; set; }

    /// <summary>Why it ended, once it has.</summary>
    public CloseReason Reason => _session.Reason;

    /// <summary>Why a layer has failed, once it has ended; null if none has.</summary>
    public string? LayerFailure => _session.LayerFailure;

    /// <summary>What its handler threw; null if nothing.</summary>
    public Exception? Fault => _session.Fault;

    ConnectionSnapshot IOpenConnection.Read(TimeSpan now) => SessionReading.Of(this, _session, now);

    void IOpenConnection.AskToClose(CloseMode how)
    {
        _orderlyAsked |= how == CloseMode.Orderly;
        _abortAsked |= how == CloseMode.Abort;
        _signal.Wake();
    }

    TimeSpan IOpenConnection.RestAt(TimeSpan now) => _session.RestAt(now);

    public RoomOrder? RoomOrder => _roomOrder;

    void IOpenConnection.AskToMakeRoom(RoomOrder order)
    {
        _roomOrder = order;
        _roomAsked = true;
        _signal.Wake();
    }

    long IOpenConnection.HeldBytes => _session.HeldBytes;

    void IOpenConnection.AskToGiveBack(long held)
    {
        Volatile.Write(ref _heldWhenAsked, held);
        _signal.Wake();
    }

    public async Task RunAsync()
    {
        if (_isOurs)
        {
            ServerLog.ConnectedTo(_context.Log, _door, _local = Local, Id);
        }
        else
        {
            ServerLog.Connected(_context.Log, _door, Peer, Id);
        }

        using (this)
        using (_context.Shutdown.Draining.UnsafeRegister(static signal => ((LaneSignal)signal!).RaiseElsewhere(LaneEvents.Drain), _signal))
        using (_context.Shutdown.Aborting.UnsafeRegister(static signal => ((LaneSignal)signal!).RaiseElsewhere(LaneEvents.Abort), _signal))
        {
            try
            {
                await CarryAsync();
            }
            finally
            {
                await CloseAsync();
            }
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        _transfers.Dispose();
    }

    private static PeerAddress PeerOf(Socket socket, Endpoint endpoint) => socket.RemoteEndPoint is IPEndPoint address
        ? PeerAddress.From(address)
        : PeerAddress.FromUnix(endpoint.Path);

    private async Task CarryAsync()
    {
        _context.Connections.Add(this);
        _session.Opened(MonotonicClock.Now, DateTimeOffset.UtcNow);
        int operations = 0;
        while (true)
        {
            TakeConnects();
            Want wants = _session.Wants;
            if ((wants & (Want.Abort | Want.Close)) != 0)
            {
                return;
            }

            if (_drainAsked && DrainIfTimely(wants))
            {
                continue;
            }

            if (Progress(wants))
            {
                HearEvents();
                if (++operations >= OperationsPerRound)
                {
                    // A busy connection keeps its deadlines too.
                    operations = 0;
                    ArmTimer();
                    await Task.Yield();
                }
            }
            else if ((wants & Want.Yield) != 0)
            {
                await Task.Yield();
                _session.Continue(MonotonicClock.Now);
            }
            else
            {
                ArmTimer();
                ValueTask<LaneEvents> news = _signal.WaitAsync();
                bool slept = !news.IsCompleted;
                OnEvents(await news);
                operations = slept ? 0 : operations + 1;
                if (operations >= OperationsPerRound)
                {
                    // A handler that rings its own bell each time never sleeps.
                    operations = 0;
                    await Task.Yield();
                }
            }
        }
    }

    private void TakeConnects()
    {
        while (_session.TryTakeConnect(out ConnectRequest? request))
        {
            _connect(request);
        }
    }

    /// <summary>Without a sleep: a busy connection must hear its bell and the server too.</summary>
    private void HearEvents()
    {
        if (_signal.IsRaised)
        {
            OnEvents(_signal.Take());
        }
    }

    /// <summary>Does one thing that is wanted and can be done now; false if there is none.</summary>
    private bool Progress(Want wants)
    {
        if ((wants & Want.Send) != 0 && !_transfers.IsSending)
        {
            _transfers.StartSend();
            return true;
        }

        if ((wants & Want.Finish) != 0)
        {
            _transfers.Finish();
            return true;
        }

        if ((wants & Want.Receive) == 0)
        {
            return false;
        }

        if (_transfers.HasInput)
        {
            _transfers.Receive();
            return true;
        }

        return !_transfers.IsWaitingForInput && _transfers.StartWaitingForInput();
    }

    private void OnEvents(LaneEvents events)
    {
        if ((events & LaneEvents.Sent) != 0)
        {
            _transfers.SendEnded();
        }

        if ((events & LaneEvents.Input) != 0)
        {
            _transfers.InputCame();
        }

        if ((events & LaneEvents.Due) != 0)
        {
            _timerDue = TimeSpan.MaxValue;
            if (HearsNothing)
            {
                _transfers.FailIfBroken();
            }

            _session.Tick(MonotonicClock.Now);
        }

        if ((events & LaneEvents.Rung) != 0)
        {
            _session.Ring(MonotonicClock.Now);
        }

        _drainAsked |= (events & LaneEvents.Drain) != 0 || _orderlyAsked;
        _orderlyAsked = false;
        if (_abortAsked)
        {
            _session.Fail(CloseReason.ServerClosed);
        }

        if (_roomAsked)
        {
            _roomAsked = false;
            if (_roomOrder is { } order && (!order.TryTake() || !_session.TryMakeRoom(MonotonicClock.Now)))
            {
                _roomOrder = null;
                _server!.Admission.RoomNotMade(order);
            }
        }

        if (Interlocked.Exchange(ref _heldWhenAsked, -1) is >= 0 and var held)
        {
            _ = _session.TryGiveBack(held, MonotonicClock.Now);
        }

        if ((events & LaneEvents.Abort) != 0)
        {
            _session.Fail(CloseReason.DrainDeadline);
        }
    }

    /// <summary>
    /// Tells the session to drain once it has what it wants of the kernel's, so that a request that has arrived is answered; a session
    /// that is blocked is told at once, and again when it isn't. What is there the wait for input will report, so it is never received
    /// behind that wait's back.
    /// </summary>
    private bool DrainIfTimely(Want wants)
    {
        bool isTimely = (wants & Want.Receive) != 0
            ? !_transfers.HasInput && _socket.Available == 0
            : (wants & Want.Yield) == 0 && !_session.Draining;
        if (isTimely)
        {
            _drainAsked = _session.Drain(MonotonicClock.Now);
        }

        return isTimely;
    }

    /// <summary>Moves the timer only to an earlier time: a deadline that recedes with every byte costs nothing until it is due.</summary>
    private void ArmTimer()
    {
        TimeSpan deadline = _session.Deadline;
        if (HearsNothing)
        {
            TimeSpan look = MonotonicClock.Now + _looksEvery;
            deadline = look < deadline ? look : deadline;
        }

        if (deadline < _timerDue)
        {
            _timerDue = deadline;
            TimeSpan wait = deadline - MonotonicClock.Now;
            _timer.Change(Math.Clamp((long)Math.Ceiling(wait.TotalMilliseconds), 0, int.MaxValue), Timeout.Infinite);
        }
    }

    /// <summary>Closes the connection, by a reset if an answer is cut off, and lets the session go.</summary>
    private async Task CloseAsync()
    {
        TaskCompletionSource? awaited = _context.Connections.Remove(this);
        bool cutOff = (_session.Wants & Want.Abort) != 0 || _session.Reason is CloseReason.DrainDeadline or CloseReason.ServerClosed;
        await _transfers.EndAsync(cutOff);
        _session.Closed();
        if (_isOurs)
        {
            _context.OutgoingOver();
        }

        _context.LogLayerFailure(this, _session.LayerFailure);
        if (_session.Fault is { } fault)
        {
            ServerLog.HandlerFaulted(_context.Log, this, fault);
        }

        ServerLog.Ended(_context.Log, this, _session, _isOurs ? _local : null);

        awaited?.SetResult();
    }
}
