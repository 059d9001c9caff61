using System.Net;
using System.Net.Sockets;
using Doorbell.Serving;
using Doorbell.Sessions;
using Doorbell.Sockets;

namespace Doorbell.Lanes.Datagrams;

/// <summary>
/// The further sockets of one datagram handler: each has a lane of its own, which is a thread. Only the opener's lane calls this.
/// </summary>
internal sealed class OpenedLanes(DoorSocket opener, ServerContext context, ShutdownEvents shutdown, DatagramSession session, BlockingBell bell)
{
    /// <summary>The lanes begun, with their ends; those that have ended are removed when the next one begins.</summary>
    private readonly List<(BlockingDatagramLane Lane, Task Ended)> _lanes = [];

    /// <summary>Opens what the handler has asked for.</summary>
    public void OpenAll()
    {
        _lanes.RemoveAll(static lane => lane.Ended.IsCompleted);
        while (session.TryTakeOpening(out DatagramOpening opening))
        {
            Open(opening);
        }
    }

    /// <summary>The opener is closed: ends the lanes, and waits until they have ended.</summary>
    public void Close()
    {
        foreach ((BlockingDatagramLane lane, _) in _lanes)
        {
            lane.Stop();
        }

        Task.WaitAll([.. _lanes.Select(static lane => lane.Ended)]);
    }

    private void Open(DatagramOpening opening)
    {
        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        DoorSocket? bound = null;
        try
        {
            Socket socket = OpenedSocket.Bind(opener.Socket, opening.Local);
            Endpoint endpoint = Endpoint.From(Transport.Udp, (IPEndPoint)socket.LocalEndPoint!);
            bound = new DoorSocket(socket, opener.Door with { Endpoint = endpoint });
            BlockingDatagramLane lane = new(bound, context, shutdown, opening.Handler, isOpened: true);
            LaneThread.Start("datagrams", () => Carry(lane, endpoint, ended));
            _lanes.Add((lane, ended.Task));
        }
        catch (Exception failure) when (failure is SocketException or NetworkException or OutOfMemoryException)
        {
            bound?.Release();
            string what = $"{opening.Local} for {opener.Door.Endpoint}";
            ServerLog.DoorFailed(context.Log, NetworkException.From("bind", what, failure).Message);
            new DatagramSession(opening.Handler, opener.Door.Service.DatagramLimits, context.Ledger).Closed(CloseReason.TransportFailed);
            session.OpenedSocketClosed();
        }
    }

    /// <summary>A thread's whole life. A fault of the lane ends this socket alone.</summary>
    private void Carry(BlockingDatagramLane lane, Endpoint endpoint, TaskCompletionSource ended)
    {
        try
        {
            lane.Run();
        }
        catch (Exception fault)
        {
            ServerLog.LaneFailed(context.Log, endpoint, ServerLog.TextOf(fault));
        }
        finally
        {
            ended.SetResult();

            // The opener may be waiting for it, to be idle.
            session.OpenedSocketClosed();
            bell.Ring();
        }
    }
}
