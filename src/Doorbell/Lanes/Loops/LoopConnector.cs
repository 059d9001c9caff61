using System.Collections.Concurrent;
using System.Net;
using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sessions;

namespace Doorbell.Lanes.Loops;

/// <summary>
/// Connects for an event loop, which carries what is connected: descriptors that are connecting are in the loop's epoll set and timer
/// wheel. Names are resolved on the thread pool.
/// </summary>
/// <param name="context">Where to count and log.</param>
/// <param name="epoll">The loop's.</param>
/// <param name="timers">The loop's.</param>
/// <param name="wake">The loop's: raised when something has happened on another thread; the loop then calls <see cref="OnWake"/>.</param>
/// <param name="open">Takes a connection, and whether its descriptor is in the epoll set, for <see cref="Epoll.Out"/>.</param>
internal sealed class LoopConnector(
    ServerContext context, Epoll epoll, TimerWheel timers, EventDescriptor wake, Action<ConnectedSocket, bool, TimeSpan> open) : IDisposable
{
    /// <summary>The loop's other events have greater ones.</summary>
    private const int FirstToken = -16;

    private readonly Dictionary<int, LoopConnecting> _connecting = [];
    private readonly ConcurrentQueue<LoopConnecting> _news = new();
    private readonly CancellationTokenSource _resolving = new();
    private readonly Lock _lock = new();
    private int _token = FirstToken;
    private bool _isClosed;

    /// <summary>How many are neither connected nor failed.</summary>
    public int Count => _connecting.Count;

    /// <summary>Whether an event is one of a descriptor that connects.</summary>
    public static bool IsToken(int token) => token <= FirstToken;

    /// <summary>Begins to connect.</summary>
    public void Connect(ConnectRequest request, TimeSpan now)
    {
        LoopConnecting connecting = new(request, this, NextToken(), now);
        _connecting.Add(connecting.Token, connecting);
        request.RingWhenCancelled(connecting.CancelBell);
        if (Connector.TryAddresses(request.Endpoint, out EndPoint[]? addresses))
        {
            Take(connecting, connecting.Attempts.Begin(addresses, now), now);
        }
        else
        {
            Resolve(connecting);
        }
    }

    private void Resolve(LoopConnecting connecting)
    {
        ConnectRequest request = connecting.Request;
        connecting.Resolving = Connector.AddressesAsync(request.Endpoint, request.Timeout, _resolving.Token);
        _ = connecting.Resolving.ContinueWith(
            (_, state) => Post((LoopConnecting)state!), connecting, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    /// <summary>An event of the epoll set.</summary>
    public void OnEvents(uint events, int token, TimeSpan now)
    {
        if (_connecting.TryGetValue(token, out LoopConnecting? connecting))
        {
            Take(connecting, connecting.Attempts.Continue(events, now), now);
        }
    }

    /// <summary>The time that an entry of the wheel asked for has come.</summary>
    public void OnTimer(LoopConnecting connecting, TimeSpan now)
    {
        if (connecting.Resolving is null)
        {
            Take(connecting, connecting.Attempts.Continue(events: 0, now), now);
        }
    }

    /// <summary>Any thread: its name is resolved, or its handler gives up.</summary>
    public void Post(LoopConnecting connecting)
    {
        _news.Enqueue(connecting);
        lock (_lock)
        {
            if (!_isClosed)
            {
                wake.Raise();
            }
        }
    }

    /// <summary>The loop was woken.</summary>
    public void OnWake(TimeSpan now)
    {
        while (_news.TryDequeue(out LoopConnecting? connecting))
        {
            if (!_connecting.ContainsKey(connecting.Token))
            {
                continue;
            }

            if (connecting.Request.IsCancelled)
            {
                Fail(connecting, ConnectFailure.Cancelled(connecting.Request.Endpoint));
            }
            else if (connecting.Resolving is { IsCompleted: true })
            {
                OnResolved(connecting, now);
            }
        }
    }

    /// <summary>The drain is over, or the loop: all that are connecting fail.</summary>
    public void Abort()
    {
        foreach (LoopConnecting connecting in _connecting.Values.ToArray())
        {
            Fail(connecting, ConnectFailure.Cancelled(connecting.Request.Endpoint));
        }
    }

    /// <summary>The loop is over, and its descriptors will soon be another's. May be called twice.</summary>
    public void Dispose()
    {
        Abort();
        lock (_lock)
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
        }

        _resolving.Cancel();
        _resolving.Dispose();
    }

    private int NextToken()
    {
        do
        {
            _token = _token == int.MinValue ? FirstToken : _token - 1;
        }
        while (_connecting.ContainsKey(_token));
        return _token;
    }

    private void OnResolved(LoopConnecting connecting, TimeSpan now)
    {
        Task<EndPoint[]> resolved = connecting.Resolving!;
        connecting.Resolving = null;
        if (resolved.IsCompletedSuccessfully)
        {
            Take(connecting, connecting.Attempts.Begin(resolved.Result, now), now);
        }
        else
        {
            Exception failure = resolved.Exception?.InnerException ?? new OperationCanceledException();
            Fail(connecting, ConnectFailures.Of(connecting.Request, failure));
        }
    }

    private void Take(LoopConnecting connecting, ConnectProgress progress, TimeSpan now)
    {
        switch (progress)
        {
            case ConnectProgress.Connected:
                Forget(connecting);
                open(connecting.Attempts.Result, IsWatched(connecting), now);
                break;
            case ConnectProgress.Failed:
                Fail(connecting, connecting.Attempts.Failure());
                break;
            default:
                Watch(connecting);
                break;
        }
    }

    private void Watch(LoopConnecting connecting)
    {
        ConnectAttempts attempts = connecting.Attempts;
        if (!attempts.WaitsForTimeAlone && attempts.Number != connecting.Watched)
        {
            // Another address has another descriptor; the one before it is closed, which took it out of the set.
            if (epoll.TryWatch(attempts.Descriptor, Epoll.Out, connecting.Token) is not 0 and int errno)
            {
                string target = connecting.Request.Endpoint.ToString();
                NetworkException shortage = NetworkException.FromErrno("epoll_ctl", target, errno);
                Fail(connecting, new ConnectFailure(shortage.ErrnoName ?? "EIO", shortage.Message));
                return;
            }

            connecting.Watched = attempts.Number;
        }

        timers.Ensure(connecting, attempts.Due);
    }

    private static bool IsWatched(LoopConnecting connecting) =>
        connecting.Watched == connecting.Attempts.Number && connecting.Attempts.Descriptor >= 0;

    private void Fail(LoopConnecting connecting, ConnectFailure failure)
    {
        Forget(connecting);
        if (IsWatched(connecting))
        {
            epoll.Forget(connecting.Attempts.Descriptor);
        }

        connecting.Attempts.Close();
        context.Fail(connecting.Request, failure);
    }

    private void Forget(LoopConnecting connecting)
    {
        _connecting.Remove(connecting.Token);
        timers.Remove(connecting);
    }
}
