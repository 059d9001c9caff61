using System.Buffers;
using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sessions;
using Microsoft.Extensions.Logging;

namespace Doorbell.Lanes;

/// <summary>
/// One session over one descriptor, and the calls for it that do not wait. A lane derives from it what it has to know of a connection
/// besides, and calls all else as it stands: nothing here is overridden.
/// </summary>
internal abstract unsafe class SocketConnection : ConnectionInfo
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
        Peer = accepted.Peer;
        Context = context;
        Service service = accepted.At.Service;
        Session = new StreamSession(service.NewStreamHandler!(this), service.StreamLimits, this, bell, context.Ledger, pool);
    }

    public int Descriptor { get; }

    public override long Id => ConnectionId.Of(ref _id);

    public override Endpoint Door { get; }

    public override PeerAddress Peer { get; }

    public override PeerAddress Local => SocketAddresses.LocalOf(Descriptor);

    public StreamSession Session { get; }

    /// <summary>The server drains, and the session has not been told.</summary>
    public bool IsDrainAsked { get; set; }

    /// <summary>A receive is worth trying. It is so at first: a client's request often comes right behind its connection.</summary>
    public bool Readable { get; set; } = true;

    /// <summary>
    /// Receive until there is no more, though a receive brings less than there was room for: the peer has half-closed or reset, and
    /// nothing else will come to wake us, or its stream has marks at which a receive stops short: urgent data (tcp(7)), descriptors
    /// (unix(7)).
    /// </summary>
    public bool ReceivesToEnd { get; set; }

    /// <summary>Its peer sends much at once.</summary>
    public bool IsBulky { get; set; }

    /// <summary>A send is worth trying.</summary>
    public bool Writable { get; set; } = true;

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
    /// The server drains: the lane tells the session once that has what the kernel already holds, so that a request that has arrived is
    /// answered.
    /// </summary>
    public void AskToDrain() => IsDrainAsked = Readable = true;

    /// <summary>Closes the descriptor by close(2), and ends the session. Does so once.</summary>
    public void Close()
    {
        if (TryBeginClose())
        {
            _ = Libc.close(Descriptor);
            EndSession();
        }
    }

    /// <summary>
    /// Makes the descriptor ready to be closed, and says whether it is to be closed now: that is so once, as its number may soon be another
    /// connection's. <see cref="EndSession"/> comes next.
    /// </summary>
    public bool TryBeginClose()
    {
        if (_closed)
        {
            return false;
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

        return true;
    }

    /// <summary>The descriptor is closed, or will be by what has been asked of the kernel: tells the session, and the log.</summary>
    public void EndSession()
    {
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
    public void Finish(TimeSpan now)
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
    public void Fail(string operation, int errno)
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

    /// <summary>Receives once and tells the session; what that passes on is sent from where it was received.</summary>
    /// <param name="buffer">The lane's, as <see cref="ReceiveBuffers"/> has it.</param>
    /// <param name="now">The time.</param>
    /// <returns>How many bytes came.</returns>
    public int ReceiveNow(byte[] buffer, TimeSpan now)
    {
        Span<byte> room = buffer.AsSpan(ReceiveBuffers.RestBytes);
        int count = (int)Receive(room, Libc.MessageDontWait);
        if (count <= 0)
        {
            ReceivedNothing(count, now);
            return 0;
        }

        if (count < ReceiveBuffers.MuchBytes)
        {
            Session.Received(room[..count], now);
            return count;
        }

        Session.Received(buffer.AsMemory(0, ReceiveBuffers.RestBytes + count), ReceiveBuffers.RestBytes, now);
        if ((Session.Wants & Want.Send) != 0 && Writable)
        {
            SendNow(now);
        }

        Session.TakeBack();
        return count;
    }

    public void SendNow(TimeSpan now)
    {
        ReadOnlySpan<byte> outgoing = Session.Outgoing.Span;
        nint count;
        fixed (byte* bytes = outgoing)
        {
            count = Libc.send(Descriptor, bytes, outgoing.Length, Libc.MessageDontWait | Libc.MessageNoSignal);
        }

        if (count >= 0)
        {
            Writable = count == outgoing.Length;
            Session.Sent((int)count, now);
        }
        else if (LinuxErrno.Last == Libc.TryAgain)
        {
            Writable = false;
        }
        else
        {
            Fail("send", LinuxErrno.Last);
        }
    }

    protected nint Receive(Span<byte> buffer, int flags)
    {
        nint count;
        fixed (byte* bytes = buffer)
        {
            count = Libc.recv(Descriptor, bytes, buffer.Length, flags);
        }

        // Less than was room for: the kernel has no more now, and will say when it has (epoll(7), question 9). So it is with TCP: a receive
        // that does not wait heeds no signal before its queue is empty (tcp_recvmsg_locked() in net/ipv4/tcp.c).
        Readable = count == buffer.Length || (count > 0 && ReceivesToEnd);
        return count;
    }

    /// <summary>The end, or a failure.</summary>
    /// <returns>False if there was neither: nothing has come yet.</returns>
    protected bool ReceivedNothing(nint count, TimeSpan now)
    {
        if (count == 0)
        {
            Session.ReceivedEnd(now);
        }
        else if (LinuxErrno.Last == Libc.TryAgain)
        {
            return false;
        }
        else
        {
            Readable = true;
            Fail("receive", LinuxErrno.Last);
        }

        return true;
    }
}
