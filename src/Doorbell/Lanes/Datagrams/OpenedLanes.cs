using System.Net;
using System.Net.Sockets;
using Doorbell.Serving;
using Doorbell.Sessions;
using Doorbell.Sockets;

namespace Doorbell.Lanes.Datagrams;

/// <summary>A lane for a further socket.</summary>
/// <param name="Run">Carries the socket to its end.</param>
/// <param name="Stop">Ends the lane soon, from another thread.</param>
internal sealed record OpenedLane(Action Run, Action Stop);

/// <summary>
/// The further sockets of one datagram handler: each has a lane of its own, which is a thread. Only the opener's lane calls this.
/// </summary>
/// <param name="opener">The socket of the handler that opens them.</param>
/// <param name="context">The server's.</param>
/// <param name="session">The opener's; it counts the sockets.</param>
/// <param name="bell">Wakes the opener's lane when one has ended.</param>
/// <param name="newLane">Makes a lane for a socket and its handler.</param>
internal sealed class OpenedLanes(
    DoorSocket opener, ServerContext context, DatagramSession session, Bell bell, Func<DoorSocket, DatagramHandler, OpenedLane> newLane)
{
    /// <summary>The lanes begun, with their ends; those that have ended are removed when the next one begins.</summary>
    private readonly List<(OpenedLane Lane, Task Ended)> _lanes = [];

    /// <summary>Opens what the handler has asked for.</summary>
    public void OpenAll()
    {
        _lanes.RemoveAll(static lane => lane.Ended.IsCompleted);
        while (session.TryTakeOpening(out PeerAddress local, out DatagramHandler? handler))
        {
            Open(local, handler);
        }
    }

    /// <summary>The opener is closed: ends the lanes, and waits until they have ended.</summary>
    public void Close()
    {
        foreach ((OpenedLane lane, _) in _lanes)
        {
            lane.Stop();
        }

        Task.WaitAll([.. _lanes.Select(static lane => lane.Ended)]);
    }

    private void Open(PeerAddress local, DatagramHandler handler)
    {
        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        DoorSocket? bound = null;
        try
        {
            Socket socket = OpenedSocket.Bind(opener.Socket, local);
            Endpoint endpoint = Endpoint.From(Transport.Udp, (IPEndPoint)socket.LocalEndPoint!);
            bound = new DoorSocket(socket, opener.Door with { Endpoint = endpoint });
            OpenedLane lane = newLane(bound, handler);
            LaneThread.Start("datagrams", () => Carry(lane, endpoint, ended));
            _lanes.Add((lane, ended.Task));
        }
        catch (Exception failure) when (failure is SocketException or NetworkException or OutOfMemoryException)
        {
            bound?.Release();
            string what = $"{local} for {opener.Door.Endpoint}";
            ServerLog.DoorFailed(context.Log, NetworkException.From("bind", what, failure).Message);
            new DatagramSession(handler, opener.Door.Service.DatagramLimits, context.Ledger).Closed(CloseReason.TransportFailed);
            session.OpenedSocketClosed();
        }
    }

    /// <summary>A thread's whole life. A fault of the lane ends this socket alone.</summary>
    private void Carry(OpenedLane lane, Endpoint endpoint, TaskCompletionSource ended)
    {
        try
        {
            lane.Run();
        }
        catch (Exception fault)
        {
            ServerLog.LaneFailed(context.Log, endpoint, ServerLog.TextOf(fault), fault);
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
