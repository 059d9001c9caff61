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
}

/// <summary>One session over one descriptor. How bytes move is its heirs' matter.</summary>
internal abstract partial class SocketConnection : ConnectionInfo
{
    private long _id;
    private bool _closed;

    /// <param name="accepted">Its descriptor is this one's from here on.</param>
    /// <param name="context">What to serve.</param>
    /// <param name="bell">The lane's.</param>
    /// <param name="pool">Where its session's memory comes from.</param>
    protected SocketConnection(in AcceptedSocket accepted, ServerContext context, Bell bell, ArrayPool<byte> pool)
    {
        Descriptor = accepted.Descriptor;
        Door = accepted.Door;
        TransportPeer = accepted.Peer;
        Context = context;
        Service service = accepted.At.Service;
        Session = new StreamSession(
            service.NewStreamHandler!(this), service.StreamLimits, this, bell, context.Ledger, pool, accepted.At.Layers);
    }

    public int Descriptor { get; }

    public override long Id => ConnectionId.Of(ref _id);

    public override Endpoint Door { get; }

    public override PeerAddress TransportPeer { get; }

    public override PeerAddress Local => SocketAddresses.LocalOf(Descriptor);

    public StreamSession Session { get; }

    protected ServerContext Context { get; }

    public void Open(TimeSpan now)
    {
        if (Context.Log.IsEnabled(LogLevel.Information))
        {
            ServerLog.Connected(Context.Log, Door, Session.Peer);
        }

        Session.Opened(now, DateTimeOffset.UtcNow);
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
        if ((Session.Wants & Want.Abort) != 0
            || Session.Reason is CloseReason.DrainDeadline or CloseReason.PeerReset or CloseReason.TransportFailed)
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
            ServerLog.HandlerFaulted(Context.Log, Door, Session.Peer, fault.GetType().Name, ServerLog.TextOf(fault));
        }

        if (Context.Log.IsEnabled(LogLevel.Information))
        {
            ServerLog.Disconnected(Context.Log, Door, Session.Peer, Session.Reason);
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

    protected virtual void CloseDescriptor() => _ = Libc.close(Descriptor);
}
