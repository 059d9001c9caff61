using System.Net;
using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sessions;

namespace Doorbell.Lanes;

/// <summary>
/// Connections that the handlers of blocking lanes ask for: a thread for each, which resolves, connects, and then carries the connection as
/// a lane that blocks.
/// </summary>
/// <param name="context">Where to count and log.</param>
/// <param name="shutdown">When to stop.</param>
/// <param name="carry">Carries a connection to its end, on the calling thread.</param>
internal sealed unsafe class OutgoingThreads(
    ServerContext context, ShutdownEvents shutdown, Action<ConnectedSocket, OutgoingThreads> carry)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _none = new();
    private int _running;

    /// <summary>Begins to connect, and returns.</summary>
    public void Connect(ConnectRequest request)
    {
        if (!context.TryBegin(request))
        {
            return;
        }

        lock (_lock)
        {
            _none = _running++ == 0 ? new TaskCompletionSource() : _none;
        }

        try
        {
            LaneThread.Start("outgoing", () => Run(request));
        }
        catch (Exception shortage) when (shortage is OutOfMemoryException or ThreadStartException)
        {
            context.Fail(request, new ConnectFailure("EAGAIN", $"connect {request.Endpoint}: the system gives no thread for it (EAGAIN)"));
            Over();
        }
    }

    /// <summary>Waits until there are none.</summary>
    public void Wait()
    {
        bool any;
        Task none;
        do
        {
            lock (_lock)
            {
                any = _running > 0;
                none = _none.Task;
            }

            if (any)
            {
                none.Wait();
            }
        }
        while (any);
    }

    private void Run(ConnectRequest request)
    {
        try
        {
            if (Connect(request, out ConnectedSocket connected))
            {
                carry(connected, this);
            }
        }
        finally
        {
            Over();
        }
    }

    private void Over()
    {
        lock (_lock)
        {
            if (--_running == 0)
            {
                _none.SetResult();
            }
        }
    }

    private bool Connect(ConnectRequest request, out ConnectedSocket connected)
    {
        connected = default;
        TimeSpan begun = MonotonicClock.Now;
        using BlockingBell cancelled = new();
        if (!TryResolve(request, out EndPoint[]? addresses))
        {
            return false;
        }

        request.RingWhenCancelled(cancelled);
        ConnectAttempts attempts = new(request, begun, context.Descriptors);
        ConnectProgress progress = attempts.Begin(addresses, MonotonicClock.Now);
        while (progress == ConnectProgress.Waiting && !request.IsCancelled && !shutdown.IsAborting)
        {
            uint events = Wait(attempts, cancelled);
            progress = attempts.Continue(events, MonotonicClock.Now);
        }

        if (progress == ConnectProgress.Connected)
        {
            connected = attempts.Result;
            ConnectAttempts.LetWait(connected.Descriptor);
            return true;
        }

        attempts.Close();
        context.Fail(request, progress == ConnectProgress.Failed ? attempts.Failure() : ConnectFailure.Cancelled(request.Endpoint));
        return false;
    }

    private bool TryResolve(ConnectRequest request, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out EndPoint[]? addresses)
    {
        try
        {
            addresses = Connector.AddressesAsync(request.Endpoint, request.Timeout, context.Shutdown.Aborting).GetAwaiter().GetResult();
            return true;
        }
        catch (Exception failure)
        {
            addresses = null;
            context.Fail(request, ConnectFailures.Of(request, failure));
            return false;
        }
    }

    private uint Wait(ConnectAttempts attempts, BlockingBell cancelled)
    {
        PollDescriptor* descriptors = stackalloc PollDescriptor[3];
        int connecting = attempts.WaitsForTimeAlone ? -1 : attempts.Descriptor;
        descriptors[0] = new PollDescriptor { Descriptor = connecting, Events = PollDescriptor.Out };
        descriptors[1] = new PollDescriptor { Descriptor = shutdown.Abort.Descriptor, Events = PollDescriptor.In };
        descriptors[2] = new PollDescriptor { Descriptor = cancelled.Listen(), Events = PollDescriptor.In };
        int wait = cancelled.Bound(MonotonicClock.MillisecondsTo(attempts.Due, MonotonicClock.Now));
        return Libc.poll(descriptors, 3, wait) > 0 ? (ushort)descriptors[0].Returned : 0u;
    }
}
