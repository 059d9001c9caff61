using System.Net.Sockets;
using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sessions;
using Doorbell.SocketOptions;
using Doorbell.Sockets;

namespace Doorbell.Lanes.Portable;

/// <summary>Accepts connections and starts a lane, a task, for each.</summary>
internal sealed class AsyncListener(DoorSocket bound, SharedSockets listeners, ServerContext context)
{
    /// <summary>Most connections that the drain accepts: clients that connect without end can't hold it up.</summary>
    private const int MaxLast = 16 * 1024;

    private readonly Socket _listener = bound.Socket;
    private readonly Endpoint _door = bound.Door.Endpoint;
    private readonly Backoff _backoff = new();
    private readonly TaskCompletionSource _lanesEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The lanes running, and the accept loop itself.</summary>
    private int _running = 1;
    private bool _left;
    private Action? _whenRoom;
    private volatile TaskCompletionSource? _room;

    /// <summary>Connections that were in the backlog when the server's end began.</summary>
    private readonly Queue<Socket> _held = new();

    public async Task RunAsync()
    {
        NetworkException? failed = null;
        try
        {
            await AcceptUntilStoppedAsync();
            await AcceptLastAsync();
            await AdmitHeldAsync();
        }
        catch (SocketException failure)
        {
            failed = NetworkException.From("accept", _door.ToString(), failure);
            context.Shutdown.Fail();
        }
        finally
        {
            LeaveOnce(null);
            while (_held.TryDequeue(out Socket? left))
            {
                left.Dispose();
            }

            LaneEnded();
        }

        await _lanesEnded.Task;
        if (failed is not null)
        {
            throw failed;
        }
    }

    private async Task AcceptUntilStoppedAsync()
    {
        CancellationToken stopped = context.Shutdown.AcceptingStopped;
        try
        {
            while (true)
            {
                await WaitForRoomAsync(stopped);
                while (!context.Descriptors.MayAccept)
                {
                    // A connection that is accepted already waits for a descriptor, and these can wait without one.
                    await Task.Delay(DescriptorReserve.Pause, stopped);
                }

                if (await AcceptAsync(stopped) is { } connection)
                {
                    await AdmitAsync(connection);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The server accepts no more.
        }
    }

    /// <summary>
    /// At the limit the rest waits in the kernel's backlog. Neither lease nor place is held meanwhile: other listeners need them.
    /// </summary>
    private async Task WaitForRoomAsync(CancellationToken draining)
    {
        if (context.Admission.LeavesInBacklog)
        {
            await context.Admission.AcquireAsync(draining);
            context.Admission.Release();
            await context.Admission.AcquireAtAsync(bound.Door, draining);
            context.Admission.ReleaseAt(bound.Door);
        }
    }

    private async Task AdmitAsync(Socket connection)
    {
        PeerAddress peer = PeerOf(connection);
        bool leased = context.Admission.TryAcquire();
        if (context.Admission.MakesRoom)
        {
            leased = await AcquireWithRoomAsync(connection, peer, leased);
        }
        else if (!leased && !context.Admission.RefusesAtLimit)
        {
            // Another door was quicker to acquire the lease: this connection waits for the next one.
            await AcquireAsync(connection, context.Admission.AcquireAsync(context.Shutdown.Aborting));
            leased = true;
        }

        if (context.Admission.LeavesInBacklog)
        {
            await AcquireAsync(connection, context.Admission.AcquireAtAsync(bound.Door, context.Shutdown.Aborting));
        }

        Admit(connection, peer, leased);
    }

    /// <summary>
    /// Lets others make room for a connection until it has its lease and its place. False if it would be refused with them too.
    /// </summary>
    private async Task<bool> AcquireWithRoomAsync(Socket connection, PeerAddress peer, bool leased)
    {
        while (!leased || !context.Admission.TryAcquireAt(bound.Door))
        {
            if (leased)
            {
                context.Admission.Release();
            }

            if (context.Admission.RefusesAnyway(peer, bound.Door))
            {
                return false;
            }

            TaskCompletionSource room = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _room = room;
            context.AskForRoom(this, leased ? bound.Door : null, _whenRoom ??= () => _room?.TrySetResult());
            CancellationToken aborting = context.Shutdown.Aborting;
            await room.Task.WaitAsync(LongestAtRest.LookAgain, aborting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            context.Admission.WaitsNoMore(this);
            if (aborting.IsCancellationRequested)
            {
                connection.Close(0);
                throw new OperationCanceledException(aborting);
            }

            leased = context.Admission.TryAcquire();
        }

        return true;
    }

    /// <summary>Waits with a connection that is accepted already; at the abort it is reset.</summary>
    private static async Task AcquireAsync(Socket connection, Task acquired)
    {
        try
        {
            await acquired;
        }
        catch (OperationCanceledException)
        {
            connection.Close(0);
            throw;
        }
    }

    private void Admit(Socket connection, PeerAddress peer, bool leased)
    {
        AdmissionDecision decision = context.Admission.Decide(peer, bound.Door, leased);
        if (decision == AdmissionDecision.Admitted)
        {
            Start(connection, peer);
            return;
        }

        context.CountRefusal(bound.Door, peer, decision);
        Refuse(connection);
    }

    /// <summary>Closes a connection, and tells its peer why if there is something to tell.</summary>
    private void Refuse(Socket connection)
    {
        using (connection)
        {
            try
            {
                // What it has sent already is read first: closing with unread input sends a reset, which can destroy the line.
                connection.Blocking = false;
                connection.Send(context.Admission.Refusal, SocketFlags.None, out _);
                connection.Shutdown(SocketShutdown.Send);
                connection.Receive(new byte[1024], SocketFlags.None, out _);
            }
            catch (SocketException)
            {
                // It has gone by itself.
            }
        }
    }

    /// <summary>The next connection; null, after a pause if need be, if accepting it failed and the listener can go on.</summary>
    private async Task<Socket?> AcceptAsync(CancellationToken draining)
    {
        try
        {
            Socket connection = await _listener.AcceptAsync(draining);
            _backoff.Reset();
            return connection;
        }
        catch (SocketException failure) when (Survivable(failure))
        {
            if (AcceptFailures.Classify(failure.SocketErrorCode) == AcceptFailure.OfResources)
            {
                await _backoff.WaitAsync(draining);
            }

            return null;
        }
    }

    /// <summary>
    /// All that wait in the backlog have been promised a connection by the kernel, which resets them when the listener is closed, and so
    /// those who come between the last accept and the close: nothing else is done between. They wait for their places here.
    /// </summary>
    private async Task AcceptLastAsync()
    {
        if (context.Options.LeavesSharedPort)
        {
            bound.StopHandshakes();
        }

        // Another server that has the listener too may be quicker.
        _listener.Blocking = false;
        while (!TryAcceptLast() && !context.Shutdown.Aborting.IsCancellationRequested)
        {
            await _backoff.WaitAsync(context.Shutdown.Aborting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        LeaveOnce(takeRest: _ => TryAcceptLast());
    }

    /// <summary>False if the system is short of something.</summary>
    private bool TryAcceptLast()
    {
        int left = MaxLast;
        try
        {
            while (left-- > 0)
            {
                Socket connection = _listener.Accept();
                if (context.Options.LeavesSharedPort)
                {
                    DoorSocket.ResumeHandshakes((int)connection.SafeHandle.DangerousGetHandle());
                }

                _held.Enqueue(connection);
            }
        }
        catch (SocketException nobody) when (nobody.SocketErrorCode == SocketError.WouldBlock
            || (nobody.SocketErrorCode == SocketError.InvalidArgument && _door.IsUnix))
        {
            // Nothing waits any more.
        }
        catch (SocketException failure) when (Survivable(failure))
        {
            return false;
        }

        return true;
    }

    /// <summary>Those who waited in the backlog, each as soon as there is a place.</summary>
    private async Task AdmitHeldAsync()
    {
        while (_held.TryDequeue(out Socket? connection))
        {
            PeerAddress peer = PeerOf(connection);
            try
            {
                await AdmitAsync(connection);
            }
            catch (OperationCanceledException)
            {
                // The server's end has come before there was a place.
                context.CountRefusal(bound.Door, peer, AdmissionDecision.Full);
            }
        }
    }

    private void LeaveOnce(Action<DoorSocket>? takeRest)
    {
        if (!_left)
        {
            _left = true;
            listeners.Leave(takeRest);
        }
    }

    private bool Survivable(SocketException failure)
    {
        context.Ledger.AcceptFailed();
        string message = NetworkException.From("accept", _door.ToString(), failure).Message;
        switch (AcceptFailures.Classify(failure.SocketErrorCode))
        {
            case AcceptFailure.OfTheConnection:
                ServerLog.ConnectionLostBeforeAccept(context.Log, message);
                return true;
            case AcceptFailure.OfResources:
                if (context.Shortages.MayLog())
                {
                    ServerLog.AcceptFailed(context.Log, message);
                }

                return true;
            default:
                ServerLog.AcceptFailed(context.Log, message);
                return false;
        }
    }

    private void Start(Socket connection, PeerAddress peer)
    {
        Interlocked.Increment(ref _running);
        _ = RunLaneAsync(connection, peer);
    }

    private async Task RunLaneAsync(Socket connection, PeerAddress peer)
    {
        AsyncLane? lane = null;
        try
        {
            if (TrySetOptions(connection))
            {
                lane = new AsyncLane(connection, bound.Door, context, peer, Connect);
                await lane.RunAsync();
            }
        }
        catch (Exception fault)
        {
            // A handler's faults end in its session; what comes here is ours, or the making of the handler. It costs one connection.
            ServerLog.LaneFailed(context.Log, _door, ServerLog.TextOf(fault), fault);
            connection.Dispose();
        }
        finally
        {
            if (lane is null)
            {
                context.Admission.Release(bound.Door, peer);
            }
            else
            {
                context.Admission.Release(bound.Door, lane, lane.RoomOrder);
            }

            LaneEnded();
        }
    }

    /// <summary>A connection that a handler asks for: it is not over before that is.</summary>
    private void Connect(ConnectRequest request)
    {
        Interlocked.Increment(ref _running);
        _ = ConnectAsync(request);
    }

    private async Task ConnectAsync(ConnectRequest request)
    {
        await AsyncConnect.RunAsync(request, context, Connect);
        LaneEnded();
    }

    /// <summary>Gives a connection the options asked for that it does not inherit; closes it if the kernel refuses one.</summary>
    private bool TrySetOptions(Socket connection)
    {
        try
        {
            foreach (SocketOptionSetting setting in bound.AcceptedOptions)
            {
                setting.Apply(connection, _door.ToString());
            }

            return true;
        }
        catch (NetworkException refused)
        {
            context.Ledger.AcceptFailed();
            ServerLog.LaneFailed(context.Log, _door, refused.Message, refused);
            connection.Dispose();
            return false;
        }
    }

    private static PeerAddress PeerOf(Socket connection)
    {
        try
        {
            return SocketAddresses.Of(connection.RemoteEndPoint);
        }
        catch (SocketException)
        {
            // Gone already: the first receive says so.
            return default;
        }
    }

    private void LaneEnded()
    {
        if (Interlocked.Decrement(ref _running) == 0)
        {
            _lanesEnded.TrySetResult();
        }
    }
}
