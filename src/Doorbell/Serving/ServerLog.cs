using Doorbell.Sessions;
using Microsoft.Extensions.Logging;

namespace Doorbell.Serving;

/// <summary>What a server says in its log. Peers' bytes never get here unescaped.</summary>
internal static partial class ServerLog
{
    /// <summary>What a fault says, fit for a log. A handler's exception is anybody's code: to be asked may make it throw again.</summary>
    public static string TextOf(Exception fault)
    {
        try
        {
            return PrintableText.Escape(fault.Message);
        }
        catch (Exception)
        {
            return "(it has no message)";
        }
    }

    /// <summary>
    /// A handler has thrown. The exception goes with the line, for its stack. A sink that shows it calls its code, which may throw again:
    /// then the line is written without it.
    /// </summary>
    public static void HandlerFaulted(ILogger log, ConnectionInfo connection, Exception fault)
    {
        string kind = fault.GetType().Name;
        string text = TextOf(fault);
        try
        {
            HandlerFaulted(log, connection.Door, connection.Peer, connection.Id, kind, text, fault);
        }
        catch (Exception)
        {
            HandlerFaulted(log, connection.Door, connection.Peer, connection.Id, kind, text, null);
        }
    }

    /// <inheritdoc cref="HandlerFaulted(ILogger, ConnectionInfo, Exception)"/>
    public static void DatagramFaulted(ILogger log, Endpoint door, PeerAddress peer, Exception fault)
    {
        string kind = fault.GetType().Name;
        string text = TextOf(fault);
        try
        {
            DatagramFaulted(log, door, peer, kind, text, fault);
        }
        catch (Exception)
        {
            DatagramFaulted(log, door, peer, kind, text, null);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "{Door}: connection from {Peer}, number {ConnectionId}")]
    public static partial void Connected(ILogger log, Endpoint door, PeerAddress peer, long connectionId);

    /// <summary>A connection has ended: how, after how long, and how many bytes it has moved each way.</summary>
    /// <param name="log">Where to.</param>
    /// <param name="connection">Which.</param>
    /// <param name="session">Its own; it is closed.</param>
    /// <param name="local">Our address, if the connection is one that we opened; null if a peer opened it.</param>
    public static void Ended(ILogger log, ConnectionInfo connection, StreamSession session, PeerAddress? local)
    {
        if (!log.IsEnabled(LogLevel.Information))
        {
            return;
        }

        (Endpoint door, long id, CloseReason reason) = (connection.Door, connection.Id, session.Reason);
        double milliseconds = MillisecondsSince(session.OpenedAt);
        (long received, long sent) = (session.BytesReceived, session.BytesSent);
        if (local is { } own)
        {
            DisconnectedFrom(log, door, own, id, reason, milliseconds, received, sent);
        }
        else
        {
            Disconnected(log, door, connection.Peer, id, reason, milliseconds, received, sent);
        }
    }

    /// <summary>How long ago a moment of the monotonic clock was, to the microsecond; 0 if it has not come.</summary>
    public static double MillisecondsSince(TimeSpan moment) =>
        moment == TimeSpan.Zero ? 0 : Math.Round((MonotonicClock.Now - moment).TotalMilliseconds, 3);

    [LoggerMessage(2, LogLevel.Information, "{Door}: connection from {Peer}, number {ConnectionId}, ended: {Reason}, after "
        + "{Milliseconds} ms; bytes received: {BytesReceived}, sent: {BytesSent}")]
    public static partial void Disconnected(
        ILogger log, Endpoint door, PeerAddress peer, long connectionId, CloseReason reason, double milliseconds, long bytesReceived,
        long bytesSent);

    /// <summary>What a program has moved over a unix socket is not known.</summary>
    [LoggerMessage(44, LogLevel.Information, "{Door}: connection from {Peer}, number {ConnectionId}, ended: {Reason}, after "
        + "{Milliseconds} ms")]
    public static partial void DisconnectedUncounted(
        ILogger log, Endpoint door, PeerAddress peer, long connectionId, CloseReason reason, double milliseconds);

    [LoggerMessage(33, LogLevel.Information, "{Upstream}: connected from {Local}, number {ConnectionId}")]
    public static partial void ConnectedTo(ILogger log, Endpoint upstream, PeerAddress local, long connectionId);

    [LoggerMessage(34, LogLevel.Information, "{Upstream}: connection from {Local}, number {ConnectionId}, ended: {Reason}, after "
        + "{Milliseconds} ms; bytes received: {BytesReceived}, sent: {BytesSent}")]
    public static partial void DisconnectedFrom(
        ILogger log, Endpoint upstream, PeerAddress local, long connectionId, CloseReason reason, double milliseconds, long bytesReceived,
        long bytesSent);

    [LoggerMessage(35, LogLevel.Warning, "{Failure}")]
    public static partial void ConnectFailed(ILogger log, string failure);

    [LoggerMessage(37, LogLevel.Warning, "{Door}: connection from {Peer}, number {ConnectionId}, was ended by a layer: {Why}")]
    public static partial void LayerFailed(ILogger log, Endpoint door, PeerAddress peer, long connectionId, string why);

    [LoggerMessage(3, LogLevel.Debug, "{Failure}")]
    public static partial void ConnectionFailed(ILogger log, string failure);

    [LoggerMessage(4, LogLevel.Error, "{Door}: the handler for {Peer} failed and its connection {ConnectionId} was reset: {Kind}: {Fault}")]
    private static partial void HandlerFaulted(
        ILogger log, Endpoint door, PeerAddress peer, long connectionId, string kind, string fault, Exception? exception);

    [LoggerMessage(5, LogLevel.Information, "{Failure}")]
    public static partial void ConnectionLostBeforeAccept(ILogger log, string failure);

    [LoggerMessage(6, LogLevel.Warning, "{Failure}")]
    public static partial void AcceptFailed(ILogger log, string failure);

    [LoggerMessage(7, LogLevel.Error, "{Door}: a connection was lost to a fault: {Fault}")]
    public static partial void LaneFailed(ILogger log, Endpoint door, string fault, Exception exception);

    [LoggerMessage(8, LogLevel.Error, "{Door}: the handler failed on a datagram from {Peer}, which gets no answer: {Kind}: {Fault}")]
    private static partial void DatagramFaulted(
        ILogger log, Endpoint door, PeerAddress peer, string kind, string fault, Exception? exception);

    [LoggerMessage(25, LogLevel.Error, "{Door}: its datagrams' handler could not be made, and so the server ends: {Kind}: {Fault}")]
    public static partial void DatagramHandlerNotMade(ILogger log, Endpoint door, string kind, string fault, Exception exception);

    [LoggerMessage(9, LogLevel.Information, "{Failure}")]
    public static partial void DatagramLost(ILogger log, string failure);

    [LoggerMessage(10, LogLevel.Error, "{Failure}")]
    public static partial void DoorFailed(ILogger log, string failure);

    [LoggerMessage(11, LogLevel.Information, "{Door}: a datagram from {Peer}; bytes: {Count}")]
    public static partial void Datagram(ILogger log, Endpoint door, int count, PeerAddress peer);

    [LoggerMessage(12, LogLevel.Information, "{Door}: connection from {Peer} refused: {Why}")]
    public static partial void Refused(ILogger log, Endpoint door, PeerAddress peer, string why);

    [LoggerMessage(13, LogLevel.Warning, "{Door}: the system gives no thread for {Peer}, which waits: {Failure}")]
    public static partial void ThreadFailed(ILogger log, Endpoint door, PeerAddress peer, string failure);

    [LoggerMessage(14, LogLevel.Warning, "{Failure}; it is tried again")]
    public static partial void ProcessFailed(ILogger log, string failure);

    [LoggerMessage(41, LogLevel.Error, "{Door}: {Failure}; the connection is closed, and so is each that comes until this is mended")]
    public static partial void NoProcess(ILogger log, Endpoint door, string failure);

    [LoggerMessage(43, LogLevel.Warning, "{Failure}; if this server is killed (SIGKILL), its programs live on")]
    public static partial void NoProgramWatcher(ILogger log, string failure);

    [LoggerMessage(15, LogLevel.Warning, "worker process {Pid} ended: {Status}; another takes its place in {Milliseconds} ms")]
    public static partial void WorkerEnded(ILogger log, int pid, string status, int milliseconds);

    [LoggerMessage(16, LogLevel.Warning, "{Door}: process {Pid}, which served {Peer}, ended: {Status}")]
    public static partial void ProcessDied(ILogger log, Endpoint door, int pid, PeerAddress peer, string status);

    [LoggerMessage(17, LogLevel.Warning, "{Door}: {Program}[{Pid}] for {Peer}: {Line}")]
    public static partial void ProgramSays(ILogger log, Endpoint door, string program, int pid, PeerAddress peer, string line);

    [LoggerMessage(18, LogLevel.Information, "{Door}: process {Pid}, which served {Peer}, ended: {Status}")]
    public static partial void ProcessEnded(ILogger log, Endpoint door, int pid, PeerAddress peer, string status);

    [LoggerMessage(19, LogLevel.Warning, "{Failure}; the datagram gets no answer")]
    public static partial void DatagramUnserved(ILogger log, string failure);

    [LoggerMessage(23, LogLevel.Warning, "{Door}: process {Pid}, which served {Peer}, can't be killed and is left behind")]
    public static partial void ProcessStays(ILogger log, Endpoint door, int pid, PeerAddress peer);

    [LoggerMessage(21, LogLevel.Warning, "{Door}: nothing handed over: {Why}")]
    public static partial void TakeoverRefused(ILogger log, Endpoint door, string why);

    [LoggerMessage(22, LogLevel.Information, "handed over to process {Pid}")]
    public static partial void HandedOver(ILogger log, int pid);

    [LoggerMessage(24, LogLevel.Warning, "{Failure}; no other server can take over from this one")]
    public static partial void NoTakeover(ILogger log, string failure);

    [LoggerMessage(20, LogLevel.Warning, "{Door}: the backlog overflowed: the kernel dropped packets of new connections ({Dropped}), "
        + "so clients wait a second or more and try again; {Waiting} wait now, the limit is {Limit}. Serve more connections at "
        + "once, or raise ServerOptions.ListenBacklog and net.core.somaxconn")]
    public static partial void BacklogOverflowed(ILogger log, Endpoint door, long dropped, int? waiting, int? limit);

    [LoggerMessage(36, LogLevel.Error, "a lane has ended, and its sessions have not given back all of their memory (arrays: {Arrays}, "
        + "receive buffers: {Buffers}): this is a fault of Doorbell's, please report it")]
    public static partial void NotReturned(ILogger log, int arrays, int buffers);

    [LoggerMessage(42, LogLevel.Warning, "{Limit} are open: those that have been at rest for the longest make room for new ones")]
    public static partial void MakesRoom(ILogger log, string limit);

    [LoggerMessage(45, LogLevel.Warning, "the connections hold more memory than ServerOptions.MaxBufferedBytes allows, "
        + "{Max} bytes: those that hold the most are reset, {Count} since the last line")]
    public static partial void BudgetExceeded(ILogger log, long max, int count);

    [LoggerMessage(32, LogLevel.Warning, "{Warning}")]
    public static partial void CounterGrew(ILogger log, string warning);

    [LoggerMessage(31, LogLevel.Warning, "{Door}: the receive buffer was full: the kernel dropped datagrams ({Dropped}). Serve with more "
        + "workers, or raise it with ServerOptions.SocketOptions SO_RCVBUF=BYTES and net.core.rmem_max")]
    public static partial void ReceiveBufferFull(ILogger log, Endpoint door, long dropped);
}
