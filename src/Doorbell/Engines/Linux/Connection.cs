using System.Buffers;
using Microsoft.Extensions.Logging;

namespace Doorbell;

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

/// <summary>
/// One session over one descriptor, by calls that never wait. Whatever lane carries it tells it what is readable and writable, lets
/// it <see cref="Advance"/>, and waits for it.
/// </summary>
internal sealed unsafe class Connection
{
    private const int ReceivesPerTurn = 8;

    /// <summary>A handler that always writes on must not keep its lane: neither from the others nor from the server's end.</summary>
    private const int SendsPerTurn = 16;

    private readonly Serving _serving;
    private bool _drainAsked;
    private bool _closed;

    public Connection(in Accepted accepted, Serving serving, Bell bell)
    {
        Descriptor = accepted.Descriptor;
        Door = accepted.Door;
        _serving = serving;
        Service service = serving.Service;
        Session = new StreamSession(
            service.NewStreamHandler!(), service.StreamLimits, accepted.Peer, bell, serving.Ledger, ArrayPool<byte>.Shared);
    }

    public int Descriptor { get; }

    /// <summary>Where it came in.</summary>
    public Endpoint Door { get; }

    public StreamSession Session { get; }

    /// <summary>A receive is worth trying. It is so at first: a client's request often comes right behind its connection.</summary>
    public bool Readable { get; set; } = true;

    /// <summary>
    /// Receive until there is no more, though a receive brings less than there was room for: the peer has half-closed or reset, and
    /// nothing else will come to wake us, or its stream has marks at which a receive stops short: urgent data (tcp(7)), descriptors
    /// (unix(7)).
    /// </summary>
    public bool ReceivesToEnd { get; set; }

    /// <summary>A send is worth trying.</summary>
    public bool Writable { get; set; } = true;

    /// <summary>What to wait for, as poll(2) has it; 0 for nothing of the socket's.</summary>
    public short Awaits
    {
        get
        {
            Want wants = Session.Wants;
            return (short)(((wants & Want.Receive) != 0 ? PollDescriptor.In : 0) | ((wants & Want.Send) != 0 ? PollDescriptor.Out : 0));
        }
    }

    public void Open(TimeSpan now)
    {
        if (_serving.Log.IsEnabled(LogLevel.Information))
        {
            ServerLog.Connected(_serving.Log, Door, Session.Peer);
        }

        Session.Opened(now, DateTimeOffset.UtcNow);
    }

    /// <summary>
    /// The server drains: the session is told once it has what the kernel already holds, so that a request that has arrived is
    /// answered.
    /// </summary>
    public void AskToDrain() => _drainAsked = Readable = true;

    /// <summary>Does all that can be done now, within bounds.</summary>
    /// <param name="buffer">The lane's; lent to the session during the call.</param>
    /// <param name="now">The time.</param>
    public Progress Advance(Span<byte> buffer, TimeSpan now)
    {
        int receives = ReceivesPerTurn;
        int sends = SendsPerTurn;
        while (true)
        {
            Want wants = Session.Wants;
            if ((wants & (Want.Abort | Want.Close)) != 0)
            {
                return Progress.Over;
            }

            if ((wants & Want.Send) != 0 && Writable)
            {
                if (sends-- == 0)
                {
                    return Progress.Busy;
                }

                Send(now);
            }
            else if ((wants & Want.Finish) != 0)
            {
                Finish(now);
            }
            else if ((wants & Want.Receive) != 0 && Readable)
            {
                if (receives-- == 0)
                {
                    return Progress.Busy;
                }

                Receive(buffer, now);
            }
            else if (_drainAsked)
            {
                _drainAsked = false;
                Session.Drain(now);
            }
            else
            {
                return (wants & Want.Turn) != 0 ? Progress.Busy : Progress.Waiting;
            }
        }
    }

    /// <summary>Closes the descriptor, once: its number may soon be another connection's. Lets the session go.</summary>
    public void Close()
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        if ((Session.Wants & Want.Abort) != 0 || Session.Reason == CloseReason.DrainDeadline)
        {
            // struct linger { on, 0 seconds }: close(2) then sends a reset (socket(7)).
            long reset = BitConverter.IsLittleEndian ? 1 : 1L << 32;
            _ = Libc.setsockopt(Descriptor, Libc.SocketLevel, Libc.LingerOption, &reset, sizeof(long));
        }

        _ = Libc.close(Descriptor);
        Session.Closed();
        if (Session.Fault is { } fault)
        {
            ServerLog.HandlerFaulted(_serving.Log, Door, Session.Peer, fault.GetType().Name, ServerLog.TextOf(fault));
        }

        if (_serving.Log.IsEnabled(LogLevel.Information))
        {
            ServerLog.Disconnected(_serving.Log, Door, Session.Peer, Session.Reason);
        }
    }

    private void Send(TimeSpan now)
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
            Fail("send");
        }
    }

    private void Finish(TimeSpan now)
    {
        if (Libc.shutdown(Descriptor, Libc.ShutdownSend) == 0)
        {
            Session.Finished(now);
        }
        else
        {
            // ENOTCONN: the peer's reset has come in between.
            Fail("shutdown");
        }
    }

    private void Receive(Span<byte> buffer, TimeSpan now)
    {
        nint count;
        fixed (byte* bytes = buffer)
        {
            count = Libc.recv(Descriptor, bytes, buffer.Length, Libc.MessageDontWait);
        }

        if (count > 0)
        {
            // Less than was room for: the kernel has no more now, and will say when it has (epoll(7), question 9).
            Readable = count == buffer.Length || ReceivesToEnd;
            Session.Received(buffer[..(int)count], now);
        }
        else if (count == 0)
        {
            Readable = false;
            Session.ReceivedEnd(now);
        }
        else if (LinuxErrno.Last == Libc.TryAgain)
        {
            Readable = false;
        }
        else
        {
            Fail("receive");
        }
    }

    private void Fail(string operation)
    {
        int errno = LinuxErrno.Last;
        if (errno == Libc.Interrupted)
        {
            return;
        }

        bool reset = errno is Libc.ConnectionReset or Libc.ConnectionAborted or Libc.BrokenPipe or Libc.NotConnected;
        Session.Fail(reset ? CloseReason.PeerReset : CloseReason.TransportFailed);
        if (_serving.Log.IsEnabled(LogLevel.Debug))
        {
            ServerLog.ConnectionFailed(
                _serving.Log, NetworkException.FromErrno(operation, $"{Door} peer {Session.Peer}", errno).Message);
        }
    }
}
