using System.Net.Sockets;
using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sessions;
using Doorbell.Sockets;
using Microsoft.Extensions.Logging;

namespace Doorbell.Lanes.Datagrams;

/// <summary>
/// A lane that is a thread and carries one datagram socket: it sleeps in poll(2), receives a batch, has each datagram answered,
/// sends all the answers.
/// </summary>
internal sealed unsafe class BlockingDatagramLane : IDisposable
{
    /// <summary>At a drain, at most so many messages that wait in the kernel are still answered.</summary>
    private const int MaxAtDrain = 10_000;

    /// <summary>After so long without a datagram the kernel is asked what it dropped behind the last one.</summary>
    private const int QuietMilliseconds = 1000;

    private readonly DoorSocket _bound;
    private readonly ServerContext _context;
    private readonly ShutdownEvents _shutdown;
    private readonly BlockingBell _bell = new();
    private readonly DatagramSession _session;
    private readonly Backoff _backoff = new();
    private readonly bool _isUnix;
    private readonly bool _isOpened;
    private readonly OverflowCount? _overflow;
    private ReceiveBatch _batch = null!;
    private SendBatch _sends = null!;
    private OpenedLanes? _opened;
    private volatile bool _isStopped;

    /// <summary>Whether any came since the kernel was asked what it dropped: it tells of itself only with the next datagram.</summary>
    private bool _mayHaveDropped;

    /// <summary>A lane for a socket of a server's door.</summary>
    public BlockingDatagramLane(DoorSocket bound, ServerContext context, ShutdownEvents shutdown)
        : this(bound, context, shutdown, context.NewDatagramHandler(bound.Door), isOpened: false)
    {
    }

    /// <param name="bound">The socket, the lane's from here on.</param>
    /// <param name="context">The server's.</param>
    /// <param name="shutdown">The server's.</param>
    /// <param name="handler">This socket's own.</param>
    /// <param name="isOpened">Whether another socket's handler has opened this one, so that its own handler may close it.</param>
    public BlockingDatagramLane(DoorSocket bound, ServerContext context, ShutdownEvents shutdown, DatagramHandler handler, bool isOpened)
    {
        _bound = bound;
        _context = context;
        _shutdown = shutdown;
        _isUnix = bound.Door.Endpoint.IsUnix;
        _isOpened = isOpened;
        _session = new DatagramSession(handler, bound.Door.Service.DatagramLimits, context.Ledger, _bell) { MayClose = isOpened };
        _overflow = OverflowCount.Of(bound, context.Ledger, context.Log);

        // A unix peer that does not read would be waited for at each send, by all others too.
        bound.Socket.Blocking = false;
    }

    private bool IsOver => _isStopped || _session.IsClosing;

    /// <summary>
    /// Whether a ring can come: to the handler, from a further socket that has ended, or to a further socket that is to end. A lane that
    /// hears none polls no descriptor for it.
    /// </summary>
    private bool HearsBell => _isOpened || _opened is not null || _session.BellTaken;

    public void Run()
    {
        CloseReason reason = CloseReason.TransportFailed;
        try
        {
            using ReceiveBatch batch = new(_isUnix, _bound.Door.Service.DatagramLimits.MaxDatagramBytes);
            using SendBatch sends = new(_bound, _context, DatagramOffload.Of(_bound));
            _batch = batch;
            _sends = sends;
            _session.Opened(OpenedSocket.LocalOf(_bound.Socket), MonotonicClock.Now, DateTimeOffset.UtcNow);
            Complete(default);
            Serve();
            reason = Drain() ? CloseReason.Completed : CloseReason.DrainDeadline;
            _overflow?.Ask(MonotonicClock.Now);
        }
        finally
        {
            _opened?.Close();
            if (_isOpened)
            {
                // No door's: the lane's own.
                _bound.Release();
            }
            _session.Closed(reason);
            LogFault(default);
            Dispose();
        }
    }

    public void Dispose() => _bell.Dispose();

    /// <summary>Ends the lane soon, from another thread: the handler that has opened this socket has lost its own.</summary>
    public void Stop()
    {
        _isStopped = true;
        _bell.Ring();
    }

    private void Serve()
    {
        while (!_shutdown.IsDraining && !IsOver)
        {
            // While several came, others will have come since. One alone is mostly followed by nothing for a while: to ask
            // poll(2) at once saves a receive that finds none.
            if (ReceiveSome() <= 1)
            {
                Wait(_shutdown.Drain);
            }

            // However many datagrams come, the bell and the alarm are heard.
            OnBellAndAlarm();
        }
    }

    /// <summary>
    /// Answers what waits in the kernel, and goes on while the handler has something half done or further sockets have. False if the
    /// drain's deadline came first.
    /// </summary>
    private bool Drain()
    {
        if (IsOver)
        {
            return true;
        }

        _session.Drain(MonotonicClock.Now, DateTimeOffset.UtcNow);
        Complete(default);
        for (int received = 0; !_shutdown.IsAborting && !IsOver;)
        {
            // A receive that failed says nothing of what there is.
            int more = ReceiveSome();
            received += Math.Max(more, 0);
            if (more != 0 && received < MaxAtDrain)
            {
                continue;
            }

            if (_session.IsIdle)
            {
                return true;
            }

            if (more == 0)
            {
                Wait(_shutdown.Abort);
            }

            OnBellAndAlarm();
        }

        return IsOver || _session.IsIdle;
    }

    private void OnBellAndAlarm()
    {
        if (HearsBell && _bell.TakeRing() && _session.BellTaken)
        {
            _session.Ring(MonotonicClock.Now, DateTimeOffset.UtcNow);
            Complete(default);
        }

        if (_session.Deadline != TimeSpan.MaxValue && _session.Deadline <= MonotonicClock.Now)
        {
            _session.Tick(MonotonicClock.Now, DateTimeOffset.UtcNow);
            Complete(default);
        }
    }

    private void Wait(EventDescriptor stop)
    {
        PollDescriptor* descriptors = stackalloc PollDescriptor[3];
        descriptors[0] = new PollDescriptor { Descriptor = _bound.Descriptor, Events = PollDescriptor.In };
        descriptors[1] = new PollDescriptor { Descriptor = stop.Descriptor, Events = PollDescriptor.In };
        int count = 2;
        if (HearsBell)
        {
            descriptors[count++] = new PollDescriptor { Descriptor = _bell.Listen(), Events = PollDescriptor.In };
        }

        int milliseconds = _mayHaveDropped ? QuietMilliseconds : -1;
        if (_session.Deadline is { } deadline && deadline != TimeSpan.MaxValue)
        {
            double wait = Math.Ceiling((deadline - MonotonicClock.Now).TotalMilliseconds);
            milliseconds = (int)Math.Clamp(wait, 0, _mayHaveDropped ? QuietMilliseconds : int.MaxValue);
        }

        int ready = Libc.poll(descriptors, (nuint)count, milliseconds);
        if (ready > 0 && (descriptors[0].Returned & PollDescriptor.Error) != 0)
        {
            ForgetErrors();
        }
        else if (ready == 0 && _mayHaveDropped)
        {
            _mayHaveDropped = false;
            _overflow?.Ask(MonotonicClock.Now);
        }
    }

    /// <summary>
    /// With IP_RECVERR, if <see cref="ServerOptions.SocketOptions"/> sets it, ICMP errors wait in a queue of their own. While there are
    /// any, poll(2) does not sleep.
    /// </summary>
    private void ForgetErrors()
    {
        byte nothing;
        int most = ReceiveBatch.Max;
        const int Flags = LibcMessages.ErrorQueue | Libc.MessageDontWait;
        while (most-- > 0 && SystemCalls.Backend.Receive(_bound.Descriptor, &nothing, 0, Flags) >= 0)
        {
        }
    }

    /// <summary>
    /// After calls of the handler: what it threw is logged, what it has asked for is opened, what it has written is sent.
    /// </summary>
    /// <param name="peer">The peer whose datagram it handled last; none in another turn.</param>
    private void Complete(PeerAddress peer)
    {
        LogFault(peer);
        if (_session.HasOpenings)
        {
            (_opened ??= new OpenedLanes(_bound, _context, _session, _bell, NewOpenedLane)).OpenAll();
        }

        SendAll();
    }

    private OpenedLane NewOpenedLane(DoorSocket bound, DatagramHandler handler)
    {
        BlockingDatagramLane lane = new(bound, _context, _shutdown, handler, isOpened: true);
        return new OpenedLane(lane.Run, lane.Stop);
    }

    /// <summary>Receives and answers a batch; how many messages there were, 0 if there is none now, -1 if the system did not say.</summary>
    private int ReceiveSome()
    {
        int count;
        int tries = 0;
        while ((count = _batch.Receive(_bound.Descriptor)) < 0)
        {
            int errno = LinuxErrno.Last;
            if (!MayTryAgain(errno) || ++tries == ReceiveBatch.Max)
            {
                return errno == Libc.TryAgain ? 0 : -1;
            }
        }

        _backoff.Reset();
        _mayHaveDropped = !_isUnix;

        // One reading of the clocks for all that had arrived by now.
        TimeSpan now = MonotonicClock.Now;
        DateTimeOffset utcNow = DateTimeOffset.UtcNow;
        for (int i = 0; i < count; i++)
        {
            ReceivedMessage message = _batch[i];
            if (message.Dropped != 0)
            {
                _overflow?.Update(message.Dropped, now);
            }

            // What comes to a broadcast address comes to every socket of the port (__udp4_lib_mcast_deliver in net/ipv4/udp.c).
            if (!message.IsToMany || !_bound.IsFurther)
            {
                Handle(_batch.BytesOf(i), message, now, utcNow);
            }
        }

        Complete(default);
        return count;
    }

    /// <summary>Whether a receive that failed is to be tried at once; a failure of the socket is logged, and waited for a while.</summary>
    private bool MayTryAgain(int errno)
    {
        if (errno is Libc.TryAgain or Libc.Interrupted)
        {
            return errno == Libc.Interrupted;
        }

        NetworkException failure = NetworkException.FromErrno("receive", _bound.Door.Endpoint.ToString(), errno);
        if (failure.Error is SocketError.ConnectionRefused or SocketError.ConnectionReset)
        {
            // An ICMP "port unreachable" for an answer sent earlier, told to the next caller (udp(7)): not this socket's error.
            ServerLog.DatagramLost(_context.Log, failure.Message);
            return true;
        }

        if (_backoff.MayLog())
        {
            ServerLog.DoorFailed(_context.Log, failure.Message);
        }

        _shutdown.Pause(_backoff.Next());
        return false;
    }

    private void Handle(ReadOnlySpan<byte> bytes, in ReceivedMessage message, TimeSpan now, DateTimeOffset utcNow)
    {
        if (message.IsTruncated)
        {
            _context.Ledger.DatagramDropped(DatagramDrop.Truncated);
            return;
        }

        // A handler that has opened a socket of its own hears whom it has asked there.
        if (!_isOpened && !_context.Admits(_bound.Door, message.Peer, message.CountIn(bytes.Length)))
        {
            return;
        }

        DatagramPath path = new(message.Peer, message.Local);
        if (_context.Log.IsEnabled(LogLevel.Debug))
        {
            LogDatagrams(bytes.Length, message);
        }

        do
        {
            int done = _session.Received(bytes, message.Stride, path, now, utcNow);
            bytes = bytes[done..];
            LogFault(path.Peer);
            if (_session.Outbox.IsFull)
            {
                SendAll();
            }
        }
        while (!bytes.IsEmpty);
    }

    private void LogDatagrams(int bytes, in ReceivedMessage message)
    {
        int rest = bytes;
        do
        {
            int length = Math.Min(rest, message.Stride);
            ServerLog.Datagram(_context.Log, _bound.Door.Endpoint, length, message.Peer);
            rest -= length;
        }
        while (rest > 0);
    }

    private void LogFault(PeerAddress peer)
    {
        if (_session.Fault is { } fault)
        {
            ServerLog.DatagramFaulted(_context.Log, _bound.Door.Endpoint, peer, fault);
            _session.Fault = null;
        }
    }

    private void SendAll()
    {
        DatagramOutbox outbox = _session.Outbox;
        if (outbox.Count == 0)
        {
            return;
        }

        if (_isUnix)
        {
            SendOneByOne(outbox);
        }
        else
        {
            _sends.SendAll(outbox);
        }
    }

    /// <summary>To unix peers: each is another socket in this machine, and may be full, gone, or without a name.</summary>
    private void SendOneByOne(DatagramOutbox outbox)
    {
        for (int i = 0; i < outbox.Count; i++)
        {
            (ReadOnlyMemory<byte> bytes, PeerAddress to) = outbox[i];
            try
            {
                DatagramCalls.Send(_bound, AddressFamily.Unix, bytes.Span, to);
                _context.Ledger.DatagramSent(bytes.Length);
            }
            catch (Exception failure) when (failure is NetworkException or ArgumentException or SocketException)
            {
                // A unix peer without a name has no address to answer to: ArgumentException.
                _context.Ledger.DatagramDropped(DatagramDrop.SendFailed);
                string message = failure is NetworkException
                    ? failure.Message
                    : NetworkException.From("send", $"{_bound.Door.Endpoint} to {to}", failure).Message;
                ServerLog.DatagramLost(_context.Log, message);
            }
        }

        outbox.Clear();
    }
}
