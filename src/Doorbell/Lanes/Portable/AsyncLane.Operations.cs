using System.Buffers;
using System.Net.Sockets;
using Doorbell.Serving;
using Doorbell.Sessions;

namespace Doorbell.Lanes.Portable;

/// <content>What the lane does with its socket, and what it tells the session of it.</content>
internal sealed partial class AsyncLane
{
    private void StartSend()
    {
        if (_send is null)
        {
            _send = new SocketAsyncEventArgs(true);
            _send.Completed += (_, _) => _signal.Raise(LaneEvents.Sent);
        }

        ReadOnlyMemory<byte> outgoing = _session.Outgoing;
        _send.SetBuffer(System.Runtime.InteropServices.MemoryMarshal.AsMemory(outgoing));
        _sending = true;
        if (!_socket.SendAsync(_send))
        {
            SendEnded();
        }
    }

    private void SendEnded()
    {
        _sending = false;
        if (_send!.SocketError == SocketError.Success)
        {
            _session.Sent(_send.BytesTransferred, MonotonicClock.Now);
        }
        else
        {
            Fail("send", _send.SocketError);
        }
    }

    private void Finish()
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

    private bool StartWaitingForInput()
    {
        _waitingForInput = true;
        if (_socket.ReceiveAsync(_readable))
        {
            return false;
        }

        InputCame();
        return true;
    }

    private void InputCame()
    {
        _waitingForInput = false;
        if (_readable.SocketError == SocketError.Success)
        {
            _hasInput = true;
        }
        else
        {
            Fail("receive", _readable.SocketError);
        }
    }

    private void Receive()
    {
        _hasInput = false;
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

    private void Fail(string operation, SocketError error)
    {
        bool reset =
            error is SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown or SocketError.NotConnected;
        _session.Fail(reset ? CloseReason.PeerReset : CloseReason.TransportFailed);
        if (_context.Log.IsEnabled(Microsoft.Extensions.Logging.LogLevel.Debug))
        {
            string target = $"{_door} peer {_session.Peer}";
            ServerLog.ConnectionFailed(_context.Log, NetworkException.From(operation, target, error).Message);
        }
    }

    /// <summary>Close(0) sets SO_LINGER to 0 seconds, which makes close(2) send a reset.</summary>
    private bool ResetWanted => (_session.Wants & Want.Abort) != 0
        || _session.Reason is CloseReason.DrainDeadline or CloseReason.ServerClosed;

    /// <summary>Closes the socket, waits until no operation uses the session's memory, and lets the session go.</summary>
    private async Task CloseAsync()
    {
        _context.Connections.Remove(this);
        _socket.Close(ResetWanted ? 0 : -1);
        while (_sending || _waitingForInput)
        {
            LaneEvents events = await _signal.WaitAsync();
            _sending &= (events & LaneEvents.Sent) == 0;
            _waitingForInput &= (events & LaneEvents.Input) == 0;
        }

        _session.Closed();
        if (_session.Fault is { } fault)
        {
            ServerLog.HandlerFaulted(_context.Log, this, fault);
        }

        if (_isOurs)
        {
            ServerLog.DisconnectedFrom(_context.Log, _door, _local, Id, Reason);
        }
        else
        {
            ServerLog.Disconnected(_context.Log, _door, Peer, Id, Reason);
        }
    }
}
