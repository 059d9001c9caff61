using System.Buffers;
using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sessions;
using Microsoft.Extensions.Logging;

namespace Doorbell.Lanes;

/// <summary>How far a connection got without waiting.</summary>
internal enum Progress
{
    /// <summary>It waits for the kernel, its bell, its deadline or the drain.</summary>
    Waiting,

    /// <summary>Its share of this turn is used up: the lane serves its others first.</summary>
    Busy,

    /// <summary>It is to be closed.</summary>
    Over,

    /// <summary>Its handler has asked for connections, which the lane takes first (<see cref="Want.Connect"/>).</summary>
    Connecting,
}

/// <summary>One session over one descriptor. How bytes move is its heirs' matter.</summary>
internal abstract partial class SocketConnection : ConnectionInfo, IServedConnection, IOpenConnection
{
    private const int NotAsked = 0;
    private const int AskedToDrain = 1;
    private const int AskedToAbort = 2;

    private readonly LaneBell _bell;
    private long _id;
    private bool _closed;
    private int _asked;

    /// <summary>For the log, of one that we opened: asked for while it is open.</summary>
    private PeerAddress _local;

    /// <param name="accepted">Its descriptor is this one's from here on.</param>
    /// <param name="context">What to serve.</param>
    /// <param name="bell">The lane's.</param>
    /// <param name="pool">Where its session's memory comes from.</param>
    protected SocketConnection(in AcceptedSocket accepted, ServerContext context, LaneBell bell, ArrayPool<byte> pool)
    {
        _bell = bell;
        Descriptor = accepted.Descriptor;
        Door = accepted.Door;
        Peer = accepted.Peer;
        Context = context;
        Service service = accepted.At.Service;
        Session = new StreamSession(service.CreateStreamHandler(this), service.StreamLimits, this, bell, context.Ledger, pool);
    }

    /// <param name="connected">Its descriptor is this one's from here on.</param>
    /// <param name="context">Where to count and log.</param>
    /// <param name="bell">The lane's.</param>
    /// <param name="pool">Where its session's memory comes from.</param>
    protected SocketConnection(in ConnectedSocket connected, ServerContext context, LaneBell bell, ArrayPool<byte> pool)
    {
        _bell = bell;
        Descriptor = connected.Descriptor;
        Door = connected.Request.Endpoint;
        Peer = connected.Peer;
        Context = context;
        IsOutgoing = true;
        Session = new StreamSession(connected.Request, this, bell, context.Ledger, pool);
    }

    public int Descriptor { get; }

    /// <summary>Whether we opened it: then it has no place in the admission.</summary>
    public bool IsOutgoing { get; }

    public override long Id => ConnectionId.Of(ref _id);

    public override Endpoint Door { get; }

    public override PeerAddress Peer { get; }

    public override PeerAddress Local => SocketAddresses.LocalOf(Descriptor);

    public StreamSession Session { get; }

    public HandlerTasks HandlerTasks => Context.HandlerTasks;

    int IOpenConnection.ListIndex { get; set; }

    protected ServerContext Context { get; }

    public void Open(TimeSpan now)
    {
        if (Context.Log.IsEnabled(LogLevel.Information))
        {
            LogOpen();
        }

        Context.Connections.Add(this);
        Session.Opened(now, DateTimeOffset.UtcNow);
    }

    ConnectionSnapshot IOpenConnection.Read(TimeSpan now) => SessionReading.Of(this, Session, now);

    void IOpenConnection.AskToClose(CloseMode how)
    {
        Interlocked.Or(ref _asked, how == CloseMode.Abort ? AskedToAbort : AskedToDrain);
        _bell.Wake();
    }

    /// <summary>The lane has been woken, perhaps since this one is to be closed.</summary>
    public void CloseIfAsked()
    {
        if (Volatile.Read(ref _asked) == NotAsked)
        {
            return;
        }

        if ((Interlocked.Exchange(ref _asked, NotAsked) & AskedToAbort) != 0)
        {
            Session.Fail(CloseReason.ServerClosed);
        }
        else
        {
            AskToDrain();
        }
    }

    /// <summary>
    /// The server drains: the session is told once it has what the kernel already holds, so that a request that has arrived is
    /// answered.
    /// </summary>
    public abstract void AskToDrain();

    /// <summary>Closes the descriptor, once: its number may soon be another connection's. Lets the session go.</summary>
    public unsafe void Close()
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        Context.Connections.Remove(this);
        if ((Session.Wants & Want.Abort) != 0
            || Session.Reason is CloseReason.DrainDeadline or CloseReason.ServerClosed or CloseReason.PeerReset or CloseReason.TransportFailed)
        {
            // An answer that was cut off must not look like a whole one to a peer that is still there.
            // struct linger { on, 0 seconds }: close(2) then sends a reset (socket(7)).
            long reset = BitConverter.IsLittleEndian ? 1 : 1L << 32;
            _ = Libc.setsockopt(Descriptor, Libc.SocketLevel, Libc.LingerOption, &reset, sizeof(long));
        }

        CloseDescriptor();
        Session.Closed();
        if (Session.Fault is { } fault)
        {
            ServerLog.HandlerFaulted(Context.Log, this, fault);
        }

        if (Context.Log.IsEnabled(LogLevel.Information))
        {
            LogClosed();
        }
    }

    /// <summary>Half-closes.</summary>
    protected internal void Finish(TimeSpan now)
    {
        if (Libc.shutdown(Descriptor, Libc.ShutdownSend) == 0)
        {
            Session.Finished(now);
        }
        else
        {
            // ENOTCONN: the peer's reset has come in between.
            Fail("shutdown", LinuxErrno.Last);
        }
    }

    /// <summary>A call has failed: the connection is over, unless a signal came in between.</summary>
    protected internal void Fail(string operation, int errno)
    {
        if (errno == Libc.Interrupted)
        {
            return;
        }

        bool reset = errno is Libc.ConnectionReset or Libc.ConnectionAborted or Libc.BrokenPipe or Libc.NotConnected;
        Session.Fail(reset ? CloseReason.PeerReset : CloseReason.TransportFailed);
        if (Context.Log.IsEnabled(LogLevel.Debug))
        {
            ServerLog.ConnectionFailed(
                Context.Log, NetworkException.FromErrno(operation, $"{Door} peer {Session.Peer}", errno).Message);
        }
    }

    private void LogOpen()
    {
        if (IsOutgoing)
        {
            _local = Local;
            ServerLog.ConnectedTo(Context.Log, Door, _local, Id);
        }
        else
        {
            ServerLog.Connected(Context.Log, Door, Peer, Id);
        }
    }

    private void LogClosed()
    {
        if (IsOutgoing)
        {
            ServerLog.DisconnectedFrom(Context.Log, Door, _local, Id, Session.Reason);
        }
        else
        {
            ServerLog.Disconnected(Context.Log, Door, Peer, Id, Session.Reason);
        }
    }

    protected virtual void CloseDescriptor() => _ = Libc.close(Descriptor);
}
