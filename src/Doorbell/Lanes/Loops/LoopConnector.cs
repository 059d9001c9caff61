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
/// <param name="loop">Woken when something has happened on another thread: its user then calls <see cref="OnWake"/>.</param>
/// <param name="open">Takes a connection.</param>
internal sealed class LoopConnector(ServerContext context, EventLoop loop, Action<ConnectedSocket, TimeSpan> open) : IDisposable
{
    private readonly HashSet<LoopConnecting> _connecting = [];
    private readonly ConcurrentQueue<LoopConnecting> _news = new();
    private readonly CancellationTokenSource _resolving = new();
    private readonly Lock _lock = new();
    private bool _isClosed;

    /// <summary>How many are neither connected nor failed.</summary>
    public int Count => _connecting.Count;

    /// <summary>Begins to connect.</summary>
    public void Connect(ConnectRequest request, TimeSpan now)
    {
        if (!context.TryBegin(request))
        {
            return;
        }

        LoopConnecting connecting = new(request, now, context.Descriptors, OnTimer, Post);
        _connecting.Add(connecting);
        request.RingWhenCancelled(connecting.CancelBell);
        if (Connector.TryAddresses(request.Endpoint, out EndPoint[]? addresses))
        {
            // An address needs no resolver.
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
            (_, state) => Post((LoopConnecting)state!),
            connecting,
            CancellationToken.None,
            TaskContinuationOptions.None,
            TaskScheduler.Default);
    }

    /// <summary>The time that an entry of the wheel asked for has come.</summary>
    private void OnTimer(LoopConnecting connecting, TimeSpan now)
    {
        if (connecting.Resolving is null)
        {
            Take(connecting, connecting.Attempts.Continue(events: 0, now), now);
        }
    }

    /// <summary>Any thread: its name is resolved, or its handler gives up.</summary>
    private void Post(LoopConnecting connecting)
    {
        _news.Enqueue(connecting);
        lock (_lock)
        {
            if (!_isClosed)
            {
                loop.Wake();
            }
        }
    }

    /// <summary>The loop was woken.</summary>
    public void OnWake(TimeSpan now)
    {
        while (_news.TryDequeue(out LoopConnecting? connecting))
        {
            if (!_connecting.Contains(connecting))
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
        foreach (LoopConnecting connecting in _connecting.ToArray())
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
                open(connecting.Attempts.Result, now);
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
        if (!attempts.WaitsForTimeAlone && attempts.Number != connecting.WatchedAttempt)
        {
            // Another address has another descriptor; the one before it is closed, and its number may be this one's.
            ForgetDescriptor(connecting);
            if (loop.TryWatch(attempts.Descriptor, Epoll.Out, (events, now) => OnReady(connecting, events, now)) is not 0 and int errno)
            {
                string target = connecting.Request.Endpoint.ToString();
                NetworkException shortage = NetworkException.FromErrno("epoll_ctl", target, errno);
                Fail(connecting, new ConnectFailure(shortage.ErrnoName ?? "EIO", shortage.Message));
                return;
            }

            (connecting.Watched, connecting.WatchedAttempt) = (attempts.Descriptor, attempts.Number);
        }

        loop.Timers.Ensure(connecting, attempts.Due);
    }

    private void OnReady(LoopConnecting connecting, uint events, TimeSpan now) =>
        Take(connecting, connecting.Attempts.Continue(events, now), now);

    private void Fail(LoopConnecting connecting, ConnectFailure failure)
    {
        Forget(connecting);
        connecting.Attempts.Close();
        context.Fail(connecting.Request, failure);
    }

    private void Forget(LoopConnecting connecting)
    {
        _connecting.Remove(connecting);
        loop.Timers.Remove(connecting);
        ForgetDescriptor(connecting);
    }

    private void ForgetDescriptor(LoopConnecting connecting)
    {
        if (connecting.Watched >= 0)
        {
            loop.Forget(connecting.Watched);
            connecting.Watched = -1;
        }
    }
}
