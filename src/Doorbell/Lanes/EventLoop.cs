using Doorbell.Native;
using Doorbell.Serving;

namespace Doorbell.Lanes;

/// <summary>What an event loop runs for: a lane, or whoever starts processes. Every call comes on the loop's thread.</summary>
internal interface IEventLoopUser
{
    /// <summary>
    /// The next step of the server's end has begun: it accepts no more (<see cref="EventLoop.AcceptsLast"/>), drains
    /// (<see cref="EventLoop.IsDraining"/>), or aborts (<see cref="EventLoop.IsAborting"/>). Each includes those before it.
    /// </summary>
    void OnShutdown(TimeSpan now);

    /// <summary>
    /// Called before the first sleep, and after the events and timers of each round. A user that has nothing left to serve calls
    /// <see cref="EventLoop.Stop"/> here.
    /// </summary>
    /// <returns>When to call it again though nothing happens: <see cref="TimeSpan.MaxValue"/> for never, a past time for at once.</returns>
    TimeSpan OnRound(TimeSpan now);
}

/// <summary>
/// One thread's event loop: a set of descriptors (epoll(7)), timers, a wake from other threads, and the server's shutdown. Those who need
/// one of these register with it, as with Redis' ae.c. A thread that sleeps in another call, such as io_uring_enter(2), polls
/// <see cref="Descriptor"/> there and then calls <see cref="DispatchReady"/>.
/// </summary>
internal sealed class EventLoop : IDisposable
{
    private readonly ShutdownEvents _shutdown;
    private readonly Epoll _epoll = new();
    private readonly EventDescriptor _wake = new();
    private readonly Dictionary<int, Action<uint, TimeSpan>> _watched = [];

    /// <summary>
    /// Descriptors forgotten since the kernel was asked last. The events in hand may be of one that is closed now, and whose number is
    /// another's already: they are dropped. What the other has to tell comes with the next answer.
    /// </summary>
    private readonly HashSet<int> _forgotten = [];
    private IEventLoopUser _user = null!;
    private bool _stopped;

    /// <exception cref="NetworkException">No descriptor is left, or no memory to watch one.</exception>
    public EventLoop(ShutdownEvents shutdown)
    {
        _shutdown = shutdown;
        try
        {
            // Now, not when the server's end begins: a system that is out of memory then must not keep a server from ending.
            Watch(_wake.Descriptor, Epoll.In, OnWake);
            Watch(_shutdown.StopAccepting.Descriptor, Epoll.In, OnStopAccepting);
            Watch(_shutdown.Drain.Descriptor, Epoll.In, OnShutdown);
            Watch(_shutdown.Abort.Descriptor, Epoll.In, OnShutdown);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public TimerWheel Timers { get; } = new(MonotonicClock.Now);

    /// <summary>The server accepts no more than what waits in the backlog, and the loop's user has been told.</summary>
    public bool AcceptsLast { get; private set; }

    /// <summary>The server drains, and the loop's user has been told.</summary>
    public bool IsDraining { get; private set; }

    public bool IsAborting => _shutdown.IsAborting;

    /// <summary>Another thread has called <see cref="Wake"/> since the last round.</summary>
    public bool WasWoken { get; private set; }

    /// <summary>Readable when any of the watched descriptors is ready.</summary>
    public int Descriptor => _epoll.Descriptor;

    /// <summary>Any thread: ends the sleep, or the next one.</summary>
    public void Wake() => _wake.Raise();

    /// <summary>Ends <see cref="Run(IEventLoopUser)"/> after this round.</summary>
    public void Stop() => _stopped = true;

    /// <summary>Calls <paramref name="ready"/> with the events of a descriptor, until <see cref="Forget"/>.</summary>
    /// <exception cref="NetworkException">The system is short of memory.</exception>
    public void Watch(int descriptor, uint events, Action<uint, TimeSpan> ready)
    {
        if (TryWatch(descriptor, events, ready) is not 0 and int errno)
        {
            throw NetworkException.FromErrno("epoll_ctl", $"descriptor {descriptor}", errno);
        }
    }

    /// <summary>As <see cref="Watch"/>; 0, or errno.</summary>
    public int TryWatch(int descriptor, uint events, Action<uint, TimeSpan> ready)
    {
        int errno = _epoll.TryWatch(descriptor, events, ~descriptor);
        if (errno == 0)
        {
            _watched[descriptor] = ready;
        }

        return errno;
    }

    /// <summary>Waits for other events of a watched descriptor.</summary>
    public void Change(int descriptor, uint events) => _epoll.Change(descriptor, events, ~descriptor);

    /// <summary>To be called before the descriptor is closed. One that is not watched is no error.</summary>
    public void Forget(int descriptor)
    {
        _epoll.Forget(descriptor);
        if (_watched.Remove(descriptor))
        {
            _forgotten.Add(descriptor);
        }
    }

    /// <summary>
    /// For a user with so many descriptors that it dispatches their events by itself: it calls <see cref="Poll"/>, and hands on the events
    /// whose token is negative.
    /// </summary>
    /// <param name="descriptor">Closing it ends the watch.</param>
    /// <param name="events">As epoll_ctl(2) has them.</param>
    /// <param name="token">The user's own, from 0 on.</param>
    /// <exception cref="NetworkException">The system is short of memory.</exception>
    public void WatchByToken(int descriptor, uint events, int token) => _epoll.Watch(descriptor, events, token);

    /// <summary>Sleeps at most so many milliseconds, -1 for ever.</summary>
    /// <returns>How many events there are; <see cref="this[int]"/> has them until the next call.</returns>
    public int Poll(int milliseconds)
    {
        _forgotten.Clear();
        return _epoll.Wait(milliseconds);
    }

    public (uint Events, int Token) this[int index] => _epoll[index];

    /// <summary>An event of the last <see cref="Poll"/> whose token is negative.</summary>
    public void Dispatch(uint events, int token, TimeSpan now)
    {
        int descriptor = ~token;
        if (_watched.TryGetValue(descriptor, out Action<uint, TimeSpan>? ready) && !_forgotten.Contains(descriptor))
        {
            ready(events, now);
        }
    }

    /// <summary>Dispatches what is ready, without sleeping.</summary>
    public void DispatchReady(TimeSpan now)
    {
        int count = Poll(0);
        for (int i = 0; i < count; i++)
        {
            (uint events, int token) = _epoll[i];
            Dispatch(events, token, now);
        }
    }

    /// <summary>Runs until <see cref="Stop"/>, sleeping in epoll_wait(2).</summary>
    /// <exception cref="NetworkException">The system refuses to wait.</exception>
    public void Run(IEventLoopUser user) => Run(user, Wait);

    /// <summary>Runs until <see cref="Stop"/>.</summary>
    /// <param name="user">Told of each round.</param>
    /// <param name="wait">
    /// Sleeps at most so many milliseconds, -1 for ever, dispatches what has happened, and returns the time then.
    /// </param>
    /// <exception cref="NetworkException">The system refuses to wait.</exception>
    public void Run(IEventLoopUser user, Func<int, TimeSpan> wait)
    {
        _user = user;
        TimeSpan now = MonotonicClock.Now;
        while (true)
        {
            TimeSpan next = user.OnRound(now);
            if (_stopped)
            {
                return;
            }

            WasWoken = false;
            now = wait(MillisecondsTo(next));
            while (Timers.TakeDue(now) is { } due)
            {
                due.OnTimer(now);
            }
        }
    }

    public void Dispose()
    {
        _epoll.Dispose();
        _wake.Dispose();
    }

    private TimeSpan Wait(int milliseconds)
    {
        int count = Poll(milliseconds);
        TimeSpan now = MonotonicClock.Now;
        for (int i = 0; i < count; i++)
        {
            (uint events, int token) = _epoll[i];
            Dispatch(events, token, now);
        }

        return now;
    }

    private int MillisecondsTo(TimeSpan next)
    {
        if (next == TimeSpan.Zero)
        {
            return 0;
        }

        TimeSpan now = MonotonicClock.Now;
        int timers = Timers.MillisecondsToNext(now);
        int user = MonotonicClock.MillisecondsTo(next, now);
        return timers < 0 || user < 0 ? Math.Max(timers, user) : Math.Min(timers, user);
    }

    private void OnWake(uint events, TimeSpan now)
    {
        _wake.Clear();
        WasWoken = true;
    }

    private void OnStopAccepting(uint events, TimeSpan now)
    {
        Forget(_shutdown.StopAccepting.Descriptor);
        AcceptsLast = true;
        _user.OnShutdown(now);
    }

    private void OnShutdown(uint events, TimeSpan now)
    {
        Forget(_shutdown.StopAccepting.Descriptor);
        Forget(_shutdown.Drain.Descriptor);
        if (IsAborting)
        {
            Forget(_shutdown.Abort.Descriptor);
        }

        AcceptsLast = IsDraining = true;
        _user.OnShutdown(now);
    }
}
