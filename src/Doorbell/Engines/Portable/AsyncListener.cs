using System.Net;
using System.Net.Sockets;

namespace Doorbell;

/// <summary>Accepts connections and starts a lane, a task, for each.</summary>
internal sealed class AsyncListener(Socket listener, Serving serving)
{
    private readonly Backoff _backoff = new();
    private readonly TaskCompletionSource _lanesEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The lanes running, and the accept loop itself.</summary>
    private int _running = 1;

    public async Task RunAsync()
    {
        try
        {
            await AcceptUntilDrainAsync();
            AcceptBacklog();
        }
        catch (SocketException failure)
        {
            throw NetworkException.From("accept", serving.Door.ToString(), failure);
        }
        finally
        {
            listener.Dispose();
            LaneEnded();
        }

        await _lanesEnded.Task;
    }

    private async Task AcceptUntilDrainAsync()
    {
        CancellationToken draining = serving.Stop.Draining;
        try
        {
            while (true)
            {
                // At the limit the rest waits in the kernel's backlog.
                await serving.Connections.WaitAsync(draining);
                if (await AcceptAsync(draining) is { } connection)
                {
                    Start(connection);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The drain has begun.
        }
    }

    /// <summary>The next connection; null, after a pause if need be, if accepting it failed and the listener can go on.</summary>
    private async Task<Socket?> AcceptAsync(CancellationToken draining)
    {
        Socket? connection = null;
        try
        {
            connection = await listener.AcceptAsync(draining);
            _backoff.Reset();
        }
        catch (SocketException failure) when (Survivable(failure))
        {
            if (AcceptFailures.Classify(failure.SocketErrorCode) == AcceptFailure.OfResources)
            {
                await _backoff.WaitAsync(draining);
            }
        }
        finally
        {
            if (connection is null)
            {
                serving.Connections.Release();
            }
        }

        return connection;
    }

    /// <summary>What is in the backlog has been promised a connection by the kernel: closing the listener would reset it.</summary>
    private void AcceptBacklog()
    {
        try
        {
            while (!serving.Stop.Aborting.IsCancellationRequested
                && listener.Poll(0, SelectMode.SelectRead)
                && serving.Connections.Wait(0))
            {
                Start(listener.Accept());
            }
        }
        catch (SocketException failure)
        {
            serving.Ledger.AcceptFailed();
            ServerLog.AcceptFailed(serving.Log, NetworkException.From("accept", serving.Door.ToString(), failure).Message);
        }
    }

    private bool Survivable(SocketException failure)
    {
        serving.Ledger.AcceptFailed();
        string message = NetworkException.From("accept", serving.Door.ToString(), failure).Message;
        switch (AcceptFailures.Classify(failure.SocketErrorCode))
        {
            case AcceptFailure.OfTheConnection:
                ServerLog.ConnectionLostBeforeAccept(serving.Log, message);
                return true;
            case AcceptFailure.OfResources:
                if (_backoff.MayLog())
                {
                    ServerLog.AcceptFailed(serving.Log, message);
                }

                return true;
            default:
                ServerLog.AcceptFailed(serving.Log, message);
                return false;
        }
    }

    private void Start(Socket connection)
    {
        Interlocked.Increment(ref _running);
        _ = RunLaneAsync(connection);
    }

    private async Task RunLaneAsync(Socket connection)
    {
        try
        {
            foreach (SocketOptionSetting setting in serving.AcceptedOptions)
            {
                setting.Apply(connection, serving.Door.ToString());
            }

            await new AsyncLane(connection, serving, PeerOf(connection)).RunAsync();
        }
        catch (Exception fault)
        {
            // A handler's faults end in its session; what comes here is ours, or the making of the handler. It costs one connection.
            ServerLog.LaneFailed(serving.Log, serving.Door, PeerText.Escape(fault.Message));
            connection.Dispose();
        }
        finally
        {
            serving.Connections.Release();
            LaneEnded();
        }
    }

    private static PeerAddress PeerOf(Socket connection)
    {
        try
        {
            return connection.RemoteEndPoint switch
            {
                IPEndPoint ip => PeerAddress.From(ip),
                UnixDomainSocketEndPoint unix => PeerAddress.FromUnix(unix.ToString()),
                _ => default,
            };
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
