using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Doorbell.Lanes.Datagrams;
using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sessions;
using Doorbell.Sockets;
using Microsoft.Extensions.Logging;

namespace Doorbell.Lanes.Portable;

/// <summary>
/// A lane that is a task and carries one datagram socket: it receives, lets the handler answer and sends, and sleeps until the socket, the
/// bell, the timer or the server has news. One receive is under way at any time; only this task touches the session.
/// </summary>
internal sealed class AsyncDatagramLane : IDisposable
{
    /// <summary>At a drain, at most so many datagrams that wait in the kernel are still answered.</summary>
    private const int MaxAtDrain = 10_000;

    /// <summary>So many datagrams or rings without sleeping, then other lanes get the thread.</summary>
    private const int EventsPerRound = 64;

    private readonly AsyncDatagramSocket _options;
    private readonly Socket _socket;
    private readonly LaneSignal _signal = new();
    private readonly DatagramSession _session;
    private readonly SocketAddress _from;
    private readonly SocketAddress _to;
    private readonly byte[] _buffer;
    private readonly Backoff _backoff = new();
    private readonly Timer _timer;
    private readonly Action _received;
    private readonly CancellationTokenSource _ending = new();
    private readonly List<(AsyncDatagramLane Lane, Task Ended)> _opened = [];
    private TimeSpan _timerDue = TimeSpan.MaxValue;
    private ValueTaskAwaiter<int> _receiving;
    private bool _isReceiving;
    private bool _hasInput;
    private bool _isDraining;
    private bool _isAborted;
    private int _drained;

    /// <summary>Datagrams since the kernel was asked what it has dropped.</summary>
    private int _sinceAsked;
    private SocketException? _unreachable;
    private volatile bool _isStopped;

    /// <summary>A lane for a socket of a server's door.</summary>
    public AsyncDatagramLane(DoorSocket bound, ServerContext context)
        : this(
            new AsyncDatagramSocket(
                bound.Socket, bound.Door.Endpoint, bound.Door.Service.DatagramLimits, context.Ledger, context.Shutdown, context.Log)
            {
                Release = static () => { },
                Overflow = OverflowCount.Of(bound, context.Ledger, context.Log),
                Admits = peer => context.Admits(bound.Door, peer, datagrams: 1),
            },
            context.NewDatagramHandler(bound.Door)) => DatagramOffload.Refuse(bound);

    /// <param name="options">The socket, and what goes with it.</param>
    /// <param name="handler">This socket's own.</param>
    public AsyncDatagramLane(AsyncDatagramSocket options, DatagramHandler handler)
    {
        _options = options;
        _socket = options.Socket;
        _socket.Blocking = false;
        _session = new DatagramSession(handler, options.Limits, options.Ledger, _signal) { MayClose = options.MayClose };
        _from = new SocketAddress(_socket.AddressFamily);
        _to = new SocketAddress(_socket.AddressFamily);

        // One byte more than is taken, pinned since the kernel writes into it for the socket's whole life: a datagram that fills
        // it is too long, and the kernel has cut it.
        _buffer = GC.AllocateUninitializedArray<byte>(options.Limits.MaxDatagramBytes + 1, pinned: true);
        _received = () => _signal.Raise(LaneEvents.Input);
        _timer = new Timer(
            static signal => ((LaneSignal)signal!).RaiseElsewhere(LaneEvents.Due), _signal, Timeout.Infinite, Timeout.Infinite);
    }

    private bool IsOver => _isStopped || _session.IsClosing;

    public async Task RunAsync()
    {
        Shutdown shutdown = _options.Shutdown;
        CloseReason reason = CloseReason.TransportFailed;
        using (this)
        using (shutdown.Draining.UnsafeRegister(static signal => ((LaneSignal)signal!).RaiseElsewhere(LaneEvents.Drain), _signal))
        using (shutdown.Aborting.UnsafeRegister(static signal => ((LaneSignal)signal!).RaiseElsewhere(LaneEvents.Abort), _signal))
        {
            try
            {
                _session.Opened(OpenedSocket.LocalOf(_socket), MonotonicClock.Now, DateTimeOffset.UtcNow);
                await CompleteAsync(default);
                reason = await CarryAsync();
            }
            finally
            {
                await CloseAsync(reason);
            }
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        _ending.Dispose();
    }

    /// <summary>Ends the lane soon, from another thread: the handler that has opened this socket has lost its own.</summary>
    public void Stop()
    {
        _isStopped = true;
        _signal.Ring();
    }

    private async Task<CloseReason> CarryAsync()
    {
        int events = 0;
        while (!IsOver)
        {
            if (_isAborted)
            {
                return _session.IsIdle ? CloseReason.Completed : CloseReason.DrainDeadline;
            }

            if (_hasInput)
            {
                _sinceAsked++;
                await TakeDatagramAsync();
            }
            else if (!_isReceiving)
            {
                StartReceive();
                continue;
            }
            else if (_isDraining && _session.IsIdle && (_drained >= MaxAtDrain || !IsReadable()))
            {
                return CloseReason.Completed;
            }
            else
            {
                AskWhatWasDropped();
                ValueTask<LaneEvents> news = _signal.WaitAsync();
                events = news.IsCompleted ? events : 0;
                await OnEventsAsync(await news);
            }

            if (_signal.IsRaised)
            {
                // A busy socket must hear its bell and the server too.
                await OnEventsAsync(_signal.Take());
            }

            if (++events >= EventsPerRound)
            {
                events = 0;
                await Task.Yield();
            }
        }

        return CloseReason.Completed;
    }

    /// <summary>Before it sleeps: a buffer has been full only if several datagrams have waited in it.</summary>
    private void AskWhatWasDropped()
    {
        if (_sinceAsked > 1)
        {
            _options.Overflow?.Ask(MonotonicClock.Now);
        }

        _sinceAsked = 0;
    }

    /// <summary>Whether a datagram waits in the kernel. Not Available, which is 0 for an empty datagram too.</summary>
    private bool IsReadable() => _socket.Poll(0, SelectMode.SelectRead);

    private void StartReceive()
    {
        if (_socket.AddressFamily == AddressFamily.Unix)
        {
            _from.Size = SocketAddress.GetMaximumAddressSize(AddressFamily.Unix);
            _from.Buffer.Span.Clear();
        }

        Await(_socket.ReceiveFromAsync(_buffer, SocketFlags.None, _from, _ending.Token));
    }

    private void Await(ValueTask<int> receive)
    {
        _receiving = receive.GetAwaiter();
        _isReceiving = true;
        if (_receiving.IsCompleted)
        {
            _hasInput = true;
        }
        else
        {
            _receiving.UnsafeOnCompleted(_received);
        }
    }

    private async ValueTask OnEventsAsync(LaneEvents events)
    {
        _hasInput |= (events & LaneEvents.Input) != 0;
        _isAborted |= (events & LaneEvents.Abort) != 0;
        if ((events & LaneEvents.Due) != 0)
        {
            _timerDue = TimeSpan.MaxValue;
            _session.Tick(MonotonicClock.Now, DateTimeOffset.UtcNow);
        }

        if ((events & LaneEvents.Rung) != 0 && _session.BellTaken && !_isStopped)
        {
            _session.Ring(MonotonicClock.Now, DateTimeOffset.UtcNow);
        }

        if ((events & LaneEvents.Drain) != 0)
        {
            _isDraining = true;
            _session.Drain(MonotonicClock.Now, DateTimeOffset.UtcNow);
        }

        await CompleteAsync(default);
    }

    /// <summary>The receive has ended: with a datagram, or with a failure.</summary>
    private async ValueTask TakeDatagramAsync()
    {
        _hasInput = _isReceiving = false;
        _drained += _isDraining ? 1 : 0;
        PeerAddress peer = default;
        try
        {
            int count = _receiving.GetResult();
            _backoff.Reset();
            peer = SocketAddressCodec.Read(_from);
            if (peer.Kind == AddressKind.None && _socket.AddressFamily == AddressFamily.Unix)
            {
                // Of an unnamed one the kernel tells no address at all.
                peer = PeerAddress.FromUnix(null);
            }

            Handle(count, peer);
        }
        catch (SocketException failure) when (failure.SocketErrorCode
            is SocketError.ConnectionReset or SocketError.ConnectionRefused or SocketError.NetworkReset)
        {
            // An ICMP "port unreachable", or on Windows "time exceeded", for a datagram sent earlier, told to the next caller (udp(7);
            // recvfrom in Winsock's documentation): not this socket's error.
            Unreached("receive", failure);
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.MessageSize)
        {
            // Windows tells by an error that it has cut a datagram (WSAEMSGSIZE).
            _options.Ledger.DatagramDropped(DatagramDrop.Truncated);
        }
        catch (SocketException failure)
        {
            ServerLog.DoorFailed(_options.Log, NetworkException.From("receive", _options.Endpoint.ToString(), failure).Message);
            await _backoff.WaitAsync(CancellationToken.None);
        }

        await CompleteAsync(peer);
    }

    private void Handle(int count, PeerAddress peer)
    {
        if (count > _options.Limits.MaxDatagramBytes)
        {
            _options.Ledger.DatagramDropped(DatagramDrop.Truncated);
            return;
        }

        if (!_options.Admits(peer))
        {
            return;
        }

        if (_options.Log.IsEnabled(LogLevel.Debug))
        {
            ServerLog.Datagram(_options.Log, _options.Endpoint, count, peer);
        }

        _session.Received(_buffer.AsSpan(0, count), peer, MonotonicClock.Now, DateTimeOffset.UtcNow);
    }

    /// <summary>A connected peer that can't be reached is the handler's to know; otherwise it is one peer of many.</summary>
    private void Unreached(string operation, SocketException failure)
    {
        if (_options.Peer.Kind != AddressKind.None)
        {
            _unreachable = failure;
        }

        ServerLog.DatagramLost(_options.Log, NetworkException.From(operation, _options.Endpoint.ToString(), failure).Message);
    }

    /// <summary>
    /// After calls of the handler: what it threw is logged, what it has asked for is opened, what it has written is sent, and it is told
    /// whether that failed.
    /// </summary>
    private async ValueTask CompleteAsync(PeerAddress peer)
    {
        LogFault(peer);
        if (_session.HasOpenings)
        {
            OpenAll();
        }

        await SendAllAsync();
        if (_unreachable is { } failure)
        {
            _unreachable = null;
            _options.Unreachable?.Invoke(failure);
            _session.Unreachable(_options.Peer, MonotonicClock.Now, DateTimeOffset.UtcNow);
            LogFault(_options.Peer);

            // What it has sent now goes out once; a failure of that is told with the next event.
            await SendAllAsync();
        }

        ArmTimer();
    }

    private void LogFault(PeerAddress peer)
    {
        if (_session.Fault is { } fault)
        {
            ServerLog.DatagramFaulted(_options.Log, _options.Endpoint, peer, fault);
            _session.Fault = null;
        }
    }

    /// <summary>Moves the timer only to an earlier time: an alarm that recedes with every datagram costs nothing until it is due.</summary>
    private void ArmTimer()
    {
        TimeSpan deadline = _session.Deadline;
        if (deadline < _timerDue)
        {
            _timerDue = deadline;
            TimeSpan wait = deadline - MonotonicClock.Now;
            _timer.Change(Math.Clamp((long)Math.Ceiling(wait.TotalMilliseconds), 0, int.MaxValue), Timeout.Infinite);
        }
    }

    private void OpenAll()
    {
        _opened.RemoveAll(static lane => lane.Ended.IsCompleted);
        while (_session.TryTakeOpening(out PeerAddress local, out DatagramHandler? handler))
        {
            try
            {
                Socket socket = OpenedSocket.Bind(_socket, local);
                Endpoint endpoint = Endpoint.From(Transport.Udp, (IPEndPoint)socket.LocalEndPoint!);
                AsyncDatagramSocket opened = new(socket, endpoint, _options.Limits, _options.Ledger, _options.Shutdown, _options.Log);
                AsyncDatagramLane lane = new(opened with { MayClose = true, Release = socket.Dispose }, handler);
                _opened.Add((lane, Task.Run(() => CarryOpenedAsync(lane, endpoint))));
            }
            catch (SocketException failure)
            {
                string what = $"{local} for {_options.Endpoint}";
                ServerLog.DoorFailed(_options.Log, NetworkException.From("bind", what, failure).Message);
                new DatagramSession(handler, _options.Limits, _options.Ledger).Closed(CloseReason.TransportFailed);
                _session.OpenedSocketClosed();
            }
        }
    }

    /// <summary>The whole life of a further socket. A fault of its lane ends that socket alone.</summary>
    private async Task CarryOpenedAsync(AsyncDatagramLane lane, Endpoint endpoint)
    {
        try
        {
            await lane.RunAsync();
        }
        catch (Exception fault)
        {
            ServerLog.LaneFailed(_options.Log, endpoint, ServerLog.TextOf(fault), fault);
        }
        finally
        {
            // This lane may be waiting for it, to be idle.
            _session.OpenedSocketClosed();
            _signal.Ring();
        }
    }

    private async Task CloseAsync(CloseReason reason)
    {
        foreach ((AsyncDatagramLane lane, _) in _opened)
        {
            lane.Stop();
        }

        await Task.WhenAll(_opened.Select(static lane => lane.Ended));
        await EndReceiveAsync();
        _options.Overflow?.Ask(MonotonicClock.Now);
        _options.Release();
        _session.Closed(reason);
        LogFault(default);
    }

    /// <summary>The receive under way is cancelled; a datagram that it has taken out of the kernel meanwhile is answered.</summary>
    private async Task EndReceiveAsync()
    {
        await _ending.CancelAsync();
        while (_isReceiving && !_hasInput)
        {
            _hasInput = ((await _signal.WaitAsync()) & LaneEvents.Input) != 0;
        }

        if (_isReceiving)
        {
            try
            {
                await TakeDatagramAsync();
            }
            catch (OperationCanceledException)
            {
            }
        }
    }

    private async ValueTask SendAllAsync()
    {
        DatagramOutbox outbox = _session.Outbox;
        if (outbox.Count == 0)
        {
            return;
        }

        for (int i = 0; i < outbox.Count; i++)
        {
            (ReadOnlyMemory<byte> bytes, PeerAddress to) = outbox[i];
            try
            {
                _options.Ledger.DatagramSent(await SendAsync(bytes, to));
            }
            catch (Exception failure) when (failure is SocketException or OperationCanceledException or ArgumentException)
            {
                // A unix peer without a name has no address to answer to: ArgumentException.
                _options.Ledger.DatagramDropped(DatagramDrop.SendFailed);
                ServerLog.DatagramLost(_options.Log, NetworkException.From("send", $"{_options.Endpoint} to {to}", failure).Message);

                // A send buffer that is full loses the datagram, as the network might: that says nothing of the peer.
                if (_options.Peer.Kind != AddressKind.None && failure is SocketException refused
                    && refused.SocketErrorCode is not (SocketError.WouldBlock or SocketError.NoBufferSpaceAvailable))
                {
                    _unreachable = refused;
                }
            }
        }

        outbox.Clear();
    }

    private ValueTask<int> SendAsync(ReadOnlyMemory<byte> bytes, PeerAddress to)
    {
        if (_options.Peer.Kind != AddressKind.None && to == _options.Peer)
        {
            return _socket.SendAsync(bytes, SocketFlags.None, _options.Shutdown.Aborting);
        }

        if (to.Kind == AddressKind.Unix)
        {
            // A unix peer that does not read would be waited for (unix(7)): its answer is dropped, so that nobody waits because of it.
            return new ValueTask<int>(_socket.SendTo(bytes.Span, SocketFlags.None, new UnixEndPoint(to.Path!)));
        }

        SocketAddressCodec.Write(to, _socket.AddressFamily, _to);
        return _socket.SendToAsync(bytes, SocketFlags.None, _to, _options.Shutdown.Aborting);
    }
}
