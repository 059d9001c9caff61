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
        Socket? socket = await ConnectAsync(request, context);
        if (socket is null)
        {
            return;
        }

        try
        {
            await new AsyncLane(socket, request, context, connect).RunAsync();
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
            return Watched(await Connector.ConnectAsync(request.Endpoint, request.Timeout, over.Token), request);
        }
        catch (Exception failure)
        {
            context.Fail(request, ConnectFailures.Of(request, failure));
            return null;
        }
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
