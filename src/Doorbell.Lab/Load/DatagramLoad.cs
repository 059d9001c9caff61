using System.Net;
using System.Net.Sockets;
using Doorbell.Lanes;
using Doorbell.Lanes.Datagrams;
using Doorbell.Native;
using Doorbell.Serving;

namespace Doorbell.Lab.Load;

/// <summary>A load over datagrams: its sockets are on one event loop, and received from in batches.</summary>
internal sealed class DatagramLoad : LoadRun, IEventLoopUser
{
    /// <summary>So many questions, then it looks for answers.</summary>
    private const int MaxAskedPerRound = 256;

    private const int MaxDatagramBytes = 65_535;

    private static readonly long _awake = Nanoseconds.Of(TimeSpan.FromMilliseconds(1));
    private static readonly long _shortPause = Nanoseconds.Of(TimeSpan.FromMilliseconds(1));
    private static readonly long _pause = Nanoseconds.Of(TimeSpan.FromMilliseconds(100));

    private readonly Shutdown _shutdown = new();
    private readonly ShutdownEvents _events;
    private readonly EventLoop _loop;
    private readonly ReceiveBatch _batch;
    private readonly DatagramAsker[] _askers;

    /// <summary>Numbers of those that have room for a question, in turn.</summary>
    private readonly Queue<int> _free = new();
    private readonly PriorityQueue<int, long> _paused = new();

    /// <summary>Each is in one of both queues, or in none and has no room.</summary>
    private readonly bool[] _isQueued;
    private EndPoint _address = null!;
    private long _began;
    private int _next;
    private bool _isClosed;

    /// <exception cref="NetworkException">The system refuses what it needs.</exception>
    public DatagramLoad(LoadOptions options)
        : base(options)
    {
        _events = new ShutdownEvents(_shutdown);
        _loop = new EventLoop(_events);
        _batch = new ReceiveBatch(options.Endpoint.IsUnix, MaxDatagramBytes);
        _askers = [.. Enumerable.Range(0, options.Connections).Select(NewAsker)];
        _isQueued = new bool[_askers.Length];
    }

    protected override bool IsReady => true;

    protected override int Open => _next;

    public override void Dispose()
    {
        Array.ForEach(_askers, static asker => asker.Socket?.Dispose());
        _loop.Dispose();
        _events.Dispose();
        _shutdown.Dispose();
        _batch.Dispose();
    }

    void IEventLoopUser.OnShutdown(TimeSpan now) => _loop.Stop();

    TimeSpan IEventLoopUser.OnRound(TimeSpan time)
    {
        long now = Nanoseconds.Now;
        long next = Round(now);
        if (_isClosed)
        {
            _loop.Stop();
            return TimeSpan.Zero;
        }

        if (_free.Count > 0 && Schedule.Next < next)
        {
            next = Schedule.Next - _awake;
        }

        if (_paused.TryPeek(out _, out long until))
        {
            next = Math.Min(next, until);
        }

        return next <= now ? TimeSpan.Zero : Nanoseconds.ToTime(next);
    }

    protected override void RunLoop()
    {
        _address = Connector.AddressesAsync(Options.Endpoint, Options.Timeout, Options.Client, CancellationToken.None)
            .GetAwaiter().GetResult()[0];
        _loop.Run(this, Wait);
    }

    protected override void Ask(long now)
    {
        _began = _began == 0 ? now : _began;
        while (_next < _askers.Length && _began + (long)(Options.Ramp.TotalNanoseconds * _next / _askers.Length) <= now)
        {
            Connect(_next);
            Free(_next++);
        }

        while (_paused.TryPeek(out int paused, out long until) && until <= now)
        {
            _paused.Dequeue();
            _isQueued[paused] = false;
            Free(paused);
        }

        for (int asked = 0; asked < MaxAskedPerRound && _free.Count > 0 && Schedule.Next <= now; asked++)
        {
            AskOne(_free.Dequeue());
        }
    }

    protected override void GiveUp(long now, bool all)
    {
        long latest = now - Nanoseconds.Of(Options.Timeout);
        for (int i = 0; i < _next; i++)
        {
            _askers[i].LookAround(now, latest, all);
            Renew(i);
        }
    }

    protected override void Close(bool first) => _isClosed = true;

    private DatagramAsker NewAsker(int number) =>
        Options.Coap is { } request ? new CoapAsker(State, number, request) : new PlainAsker(State, number);

    private void Connect(int number)
    {
        Socket socket = Connector.ConnectDatagrams(Options.Endpoint, _address, Options.Client);
        socket.Blocking = false;
        _askers[number].Socket = socket;
        _loop.WatchByToken((int)socket.SafeHandle.DangerousGetHandle(), Epoll.In, number);
    }

    private void Free(int number)
    {
        if (!_isQueued[number] && _askers[number].HasRoom)
        {
            _isQueued[number] = true;
            _free.Enqueue(number);
        }
    }

    private void AskOne(int number)
    {
        DatagramAsker asker = _askers[number];
        long now = Nanoseconds.Now;
        _isQueued[number] = false;
        if (!asker.HasRoom)
        {
            return;
        }

        AskOutcome outcome = asker.Ask(Schedule.IsOpen ? Schedule.Next : now, now);
        if (outcome != AskOutcome.NoRoom)
        {
            _ = Schedule.TryTake(now, out _);
        }

        if (outcome == AskOutcome.Asked)
        {
            Free(number);
        }
        else
        {
            _isQueued[number] = true;
            _paused.Enqueue(number, now + (outcome == AskOutcome.NoRoom ? _shortPause : _pause));
            Renew(number);
        }
    }

    /// <summary>Takes another socket, whose port is another, if an answer to the old one could be taken for a wrong one's.</summary>
    private void Renew(int number)
    {
        DatagramAsker asker = _askers[number];
        if (asker.TakeRefusal() is { } refusal && Tally.Requests == 0 && IsAsking)
        {
            Failure ??= refusal;
        }

        if (asker.IsTainted && (IsAsking || Schedule.Next != long.MaxValue))
        {
            asker.Socket.Dispose();
            Connect(number);
            asker.Replaced();
        }

        Free(number);
    }

    private TimeSpan Wait(int milliseconds)
    {
        int count = _loop.Poll(milliseconds);
        TimeSpan time = MonotonicClock.Now;
        for (int i = 0; i < count; i++)
        {
            (uint events, int token) = _loop[i];
            if (token < 0)
            {
                _loop.Dispatch(events, token, time);
            }
            else
            {
                Receive(token);
            }
        }

        return time;
    }

    private void Receive(int number)
    {
        DatagramAsker asker = _askers[number];
        int count = _batch.Receive((int)asker.Socket.SafeHandle.DangerousGetHandle());
        if (count < 0)
        {
            SocketError error = LinuxErrno.ToSocketError(LinuxErrno.Last);
            if (error is not (SocketError.WouldBlock or SocketError.Interrupted))
            {
                asker.Refused("receive", error);
                Pause(number);
            }

            return;
        }

        long now = Nanoseconds.Now;
        for (int i = 0; i < count; i++)
        {
            asker.Received(_batch.BytesOf(i), now);
        }

        Renew(number);
    }

    /// <summary>Nobody listens there, perhaps: it is not asked again at once.</summary>
    private void Pause(int number)
    {
        if (!_isQueued[number])
        {
            _isQueued[number] = true;
            _paused.Enqueue(number, Nanoseconds.Now + _pause);
        }

        Renew(number);
    }
}
