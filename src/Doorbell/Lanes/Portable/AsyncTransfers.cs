using System.Buffers;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Doorbell.Serving;
using Doorbell.Sessions;
using Microsoft.Extensions.Logging;

namespace Doorbell.Lanes.Portable;

/// <summary>
/// The bytes of one session over one <see cref="Socket"/>: what is under way, and what the session is told of it. At most one send and one
/// receive are under way; that they have ended the lane hears by its signal. Only the lane calls it.
/// </summary>
internal sealed class AsyncTransfers : IDisposable
{
    private const int ReceiveBufferBytes = 64 * 1024;

    /// <summary>Of one call, which tells the session what it has sent. Windows takes all of a call's bytes, however many.</summary>
    private const int MaxSendBytes = 256 * 1024;

    /// <summary>Of a send that waits: it ends when all its bytes are sent, and only then the session hears of them.</summary>
    private const int WaitingSendBytes = 4 * 1024;

    private readonly Socket _socket;
    private readonly StreamSession _session;
    private readonly LaneSignal _signal;
    private readonly Endpoint _door;
    private readonly ILogger _log;
    private readonly SocketAsyncEventArgs _readable = new(true);
    private SocketAsyncEventArgs? _send;

    /// <param name="socket">Closed by <see cref="EndAsync"/>.</param>
    /// <param name="session">Told of what came and went.</param>
    /// <param name="signal">The lane's.</param>
    /// <param name="door">For the log.</param>
    /// <param name="log">Where to say what fails.</param>
    public AsyncTransfers(Socket socket, StreamSession session, LaneSignal signal, Endpoint door, ILogger log)
    {
        _socket = socket;
        _session = session;
        _signal = signal;
        _door = door;
        _log = log;

        // A blocking receive would wait for Socket's own event loop, which may be waiting for this very callback.
        socket.Blocking = false;
        _readable.Completed += (_, _) => signal.Raise(LaneEvents.Input);
    }

    /// <summary>A send reads the session's output.</summary>
    public bool IsSending { get; private set; }

    /// <summary>There is something to <see cref="Receive"/>.</summary>
    public bool HasInput { get; private set; }

    /// <summary>A receive of no bytes is under way.</summary>
    public bool IsWaitingForInput { get; private set; }

    /// <summary>
    /// Sends some of the session's output, and reports each part, so that a peer that takes a long answer steadily is seen to do so. What
    /// the kernel doesn't take at once waits a small piece at a time.
    /// </summary>
    public void StartSend()
    {
        ReadOnlyMemory<byte> outgoing = _session.Outgoing;
        int count = _socket.Send(outgoing.Span[..Math.Min(outgoing.Length, MaxSendBytes)], SocketFlags.None, out SocketError error);
        if (count > 0)
        {
            // Also with WouldBlock, which says that the kernel has not taken all.
            _session.Sent(count, MonotonicClock.Now);
        }
        else if (error == SocketError.WouldBlock)
        {
            StartWaitingSend(outgoing[..Math.Min(outgoing.Length, WaitingSendBytes)]);
        }
        else if (error != SocketError.Success)
        {
            Fail("send", error);
        }
    }

    /// <summary>The send has ended.</summary>
    public void SendEnded()
    {
        IsSending = false;
        if (_send!.SocketError == SocketError.Success)
        {
            _session.Sent(_send.BytesTransferred, MonotonicClock.Now);
        }
        else
        {
            Fail("send", _send.SocketError);
        }
    }

    /// <summary>Half-closes.</summary>
    public void Finish()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
            _session.Finished(MonotonicClock.Now);
        }
        catch (SocketException failure)
        {
            // ENOTCONN: the peer's reset has come in between.
            Fail("shutdown", failure.SocketErrorCode);
        }
    }

    /// <summary>Waits for input with a receive of no bytes. True if there is some already.</summary>
    public bool StartWaitingForInput()
    {
        IsWaitingForInput = true;
        if (_socket.ReceiveAsync(_readable))
        {
            return false;
        }

        InputCame();
        return true;
    }

    /// <summary>The wait for input has ended.</summary>
    public void InputCame()
    {
        IsWaitingForInput = false;
        if (_readable.SocketError == SocketError.Success)
        {
            HasInput = true;
        }
        else
        {
            Fail("receive", _readable.SocketError);
        }
    }

    /// <summary>Receives once.</summary>
    public void Receive()
    {
        HasInput = false;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ReceiveBufferBytes);
        int count = _socket.Receive(buffer, SocketFlags.None, out SocketError error);
        if (error == SocketError.WouldBlock)
        {
            // The wait ended for nothing: wait again.
        }
        else if (error != SocketError.Success)
        {
            Fail("receive", error);
        }
        else if (count == 0)
        {
            _session.ReceivedEnd(MonotonicClock.Now);
        }
        else
        {
            _session.Received(buffer.AsSpan(0, count), MonotonicClock.Now);
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>
    /// Asks the kernel whether the connection has failed, without a call that moves bytes. For a session that wants to move none, while
    /// nothing is under way.
    /// </summary>
    public void FailIfBroken()
    {
        if (PendingError() is var error and not SocketError.Success)
        {
            Fail("receive", error);
        }
    }

    /// <summary>Closes the socket, by a reset if that is asked for, and waits until no operation uses the session's memory.</summary>
    public async Task EndAsync(bool reset)
    {
        // Close(0) sets SO_LINGER to 0 seconds, which makes close(2) send a reset.
        _socket.Close(reset ? 0 : -1);
        while (IsSending || IsWaitingForInput)
        {
            LaneEvents events = await _signal.WaitAsync();
            IsSending &= (events & LaneEvents.Sent) == 0;
            IsWaitingForInput &= (events & LaneEvents.Input) == 0;
        }
    }

    public void Dispose()
    {
        _readable.Dispose();
        _send?.Dispose();
    }

    private SocketError PendingError()
    {
        if (OperatingSystem.IsWindows())
        {
            // SO_ERROR has no resets there. A receive has them at once: what came before is dropped.
            _socket.Receive(stackalloc byte[1], SocketFlags.Peek, out SocketError error);
            return error == SocketError.WouldBlock ? SocketError.Success : error;
        }

        // On Linux SO_ERROR also has errors that TCP will get over, such as a router that has no way to the peer for now (tcp_v4_err() in
        // net/ipv4/tcp_ipv4.c). Those are not polled.
        return OperatingSystem.IsLinux() && !_socket.Poll(0, SelectMode.SelectError)
            ? SocketError.Success
            : (SocketError)(int)_socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
    }

    private void StartWaitingSend(ReadOnlyMemory<byte> piece)
    {
        if (_send is null)
        {
            _send = new SocketAsyncEventArgs(true);
            _send.Completed += (_, _) => _signal.Raise(LaneEvents.Sent);
        }

        _send.SetBuffer(MemoryMarshal.AsMemory(piece));
        IsSending = true;
        if (!_socket.SendAsync(_send))
        {
            SendEnded();
        }
    }

    private void Fail(string operation, SocketError error)
    {
        bool reset =
            error is SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown or SocketError.NotConnected;
        _session.Fail(reset ? CloseReason.PeerReset : CloseReason.TransportFailed);
        if (_log.IsEnabled(LogLevel.Debug))
        {
            string target = $"{_door} peer {_session.Peer}";
            ServerLog.ConnectionFailed(_log, NetworkException.From(operation, target, error).Message);
        }
    }
}
