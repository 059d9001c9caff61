using System.Net.Sockets;
using Doorbell.Serving;
using Doorbell.Sessions;

namespace Doorbell.Lanes.Portable;

/// <summary>Makes a connection that a handler has asked for, and carries it in a lane of its own, a task.</summary>
internal static class AsyncConnect
{
    /// <summary>Does not throw. Ends when the connection is over, or could not be made.</summary>
    /// <param name="request">What was asked for.</param>
    /// <param name="context">Where to count, log and stop.</param>
    /// <param name="connect">Takes the connections that this one's handler asks for.</param>
    public static async Task RunAsync(ConnectRequest request, LaneContext context, Action<ConnectRequest> connect)
    {
        if (!context.TryBegin(request))
        {
            return;
        }

        Socket? socket = await ConnectAsync(request, context);
        if (socket is null)
        {
            return;
        }

        AsyncLane lane;
        try
        {
            lane = new AsyncLane(socket, request, context, connect);
        }
        catch (SocketException gone)
        {
            // The peer has reset it already, so it has no address any more (getpeername(2), ENOTCONN).
            socket.Dispose();
            context.Fail(request, ConnectFailures.Of(request, gone));
            return;
        }

        try
        {
            await lane.RunAsync();
        }
        catch (Exception fault)
        {
            // A handler's faults end in its session; what comes here is ours. It costs one connection.
            ServerLog.LaneFailed(context.Log, request.Endpoint, ServerLog.TextOf(fault), fault);
            socket.Dispose();
        }
    }

    private static async Task<Socket?> ConnectAsync(ConnectRequest request, LaneContext context)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(context.Shutdown.Aborting);
        request.RingWhenCancelled(new CancelBell(over));
        try
        {
            return await ConnectPatientlyAsync(request, context.Descriptors, over.Token);
        }
        catch (Exception failure)
        {
            context.Fail(request, ConnectFailures.Of(request, failure));
            return null;
        }
    }

    /// <summary>Where the system has no descriptor, it is asked again until the request's time is over.</summary>
    private static async Task<Socket> ConnectPatientlyAsync(
        ConnectRequest request, DescriptorReserve descriptors, CancellationToken cancellation)
    {
        TimeSpan deadline = MonotonicClock.Now + request.Timeout;
        bool waits = false;
        try
        {
            while (true)
            {
                TimeSpan left = waits ? deadline - MonotonicClock.Now : request.Timeout;
                try
                {
                    return await ConnectAsync(request, left > DescriptorReserve.Pause ? left : DescriptorReserve.Pause, cancellation);
                }
                catch (NetworkException shortage) when (IsShortage(shortage) && left > DescriptorReserve.Pause)
                {
                    if (!waits)
                    {
                        // That leaves one: it is asked for at once.
                        waits = true;
                        descriptors.Wait();
                        continue;
                    }

                    await Task.Delay(DescriptorReserve.Pause, cancellation);
                }
            }
        }
        finally
        {
            if (waits)
            {
                descriptors.Over();
            }
        }
    }

    private static bool IsShortage(NetworkException failure) =>
        failure.Error is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable || failure.ErrnoName is "ENFILE" or "ENOMEM";

    /// <summary>Connects as a request says, once.</summary>
    /// <exception cref="NetworkException">It can't be resolved, no address answered, or the kernel refuses an option.</exception>
    public static async Task<Socket> ConnectAsync(ConnectRequest request, TimeSpan timeout, CancellationToken cancellation)
    {
        ClientOptions options = request.Transport as ClientOptions ?? ClientOptions.Default;
        Socket socket = await Connector.ConnectAsync(request.Endpoint, timeout, options, request.Admits, cancellation)
            .ConfigureAwait(false);
        return Watched(socket, request);
    }

    /// <summary>The kernel looks after the peer, if that was asked for.</summary>
    private static Socket Watched(Socket socket, ConnectRequest request)
    {
        try
        {
            if (request is { KeepAlive: { } keepAlive, Endpoint.IsUnix: false })
            {
                socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
                socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, (int)keepAlive.TotalSeconds);
            }

            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private sealed class CancelBell(CancellationTokenSource over) : Bell
    {
        public override void Ring()
        {
            try
            {
                over.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It is connected already, or has failed.
            }
        }
    }
}
