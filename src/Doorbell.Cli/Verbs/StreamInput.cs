using System.Net.Sockets;
using Doorbell.Cli.Input;
using Doorbell.Cli.Printing;

namespace Doorbell.Cli.Verbs;

/// <summary>
/// Standard input on its way to a connection, and where one comes after the other, to whichever is there. While none is, nothing is read.
/// What was read and could not be sent is the next connection's.
/// </summary>
internal sealed class StreamInput
{
    private const int BufferBytes = 64 * 1024;

    private readonly object _lock = new();
    private readonly JoinedInput _input;
    private readonly byte[] _buffer = new byte[BufferBytes];

    /// <summary>Read, and not sent.</summary>
    private ReadOnlyMemory<byte> _held;
    private Socket? _socket;
    private bool _hasThread;

    /// <summary>The thread waits for input, with nothing read that is not sent.</summary>
    private bool _isWaiting;

    /// <summary>To this connection all is sent, or nothing more can be.</summary>
    private bool _isOver;

    /// <summary>Standard input has ended, or can't be read.</summary>
    private bool _hasEnded;
    private long _lastMove;

    /// <param name="input">Standard input, which nobody else reads.</param>
    public StreamInput(JoinedInput input) => _input = input;

    /// <summary>Whether the end of input ends our side of the connection.</summary>
    public bool HalfCloses { get; init; } = true;

    /// <summary>Is told what is sent.</summary>
    public Transfers Transfers { get; init; } = Transfers.Unseen;

    /// <summary>When a byte was sent last, as <see cref="Environment.TickCount64"/> has it.</summary>
    public long LastMove => Volatile.Read(ref _lastMove);

    /// <summary>Why standard input can't be read; null if it can.</summary>
    public Exception? ReadFailure { get; private set; }

    /// <summary>Why nothing more can be sent to this connection; null if it can.</summary>
    public Exception? SendFailure { get; private set; }

    /// <summary>How many bytes had been read and not sent when sending failed.</summary>
    public int Unsent { get; private set; }

    /// <summary>From now on it is sent to this connection.</summary>
    public void Join(Socket socket)
    {
        bool hasEnded;
        lock (_lock)
        {
            hasEnded = _hasEnded;
            (_socket, SendFailure, Unsent, _isOver) = (socket, null, 0, hasEnded);
            if (!_hasThread)
            {
                // A thread of its own, which blocks in read and send: nothing is faster for one connection. One in the background does not
                // keep the process while it waits for standard input.
                _hasThread = true;
                new Thread(Run) { IsBackground = true, Name = "standard input" }.Start();
            }

            Monitor.PulseAll(_lock);
        }

        if (hasEnded && HalfCloses)
        {
            EndSending(socket);
        }
    }

    /// <summary>
    /// Waits until all is sent, or nothing more can be, or standard input has given nothing for so long. From then on no connection is
    /// there.
    /// </summary>
    public void LeaveWhenSilent(TimeSpan silence)
    {
        lock (_lock)
        {
            while (!_isOver)
            {
                bool hasMoved = Monitor.Wait(_lock, silence);
                if (!hasMoved && _isWaiting)
                {
                    break;
                }
            }

            _socket = null;
        }
    }

    /// <summary>No connection is there any more. A send that is under way fails when its owner closes the socket.</summary>
    public void Leave()
    {
        lock (_lock)
        {
            _socket = null;
        }
    }

    private void Run()
    {
        while (!_hasEnded)
        {
            _ = NextSocket();
            if (!_held.IsEmpty || TryRead())
            {
                // Another one may be there by now.
                Send(NextSocket());
            }
        }
    }

    private Socket NextSocket()
    {
        lock (_lock)
        {
            while (_socket is null || _isOver)
            {
                Monitor.Wait(_lock);
            }

            return _socket;
        }
    }

    /// <summary>Reads what there is, or waits until there is something; false if there is nothing to send.</summary>
    private bool TryRead()
    {
        try
        {
            SetWaiting(true);
            _input.WaitForInput();
            if (!SetWaiting(false))
            {
                // Nobody is there to read it for.
                return false;
            }

            _held = _input.Read(_buffer);
            if (!_held.IsEmpty)
            {
                return true;
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The input is broken, not the connection: our side ends, so that the peer's answer to what it got still comes.
            ReadFailure = failure;
        }

        End();
        return false;
    }

    /// <summary>Whether a connection is there.</summary>
    private bool SetWaiting(bool isWaiting)
    {
        lock (_lock)
        {
            _isWaiting = isWaiting;
            Monitor.PulseAll(_lock);
            return _socket is not null && !_isOver;
        }
    }

    private void Send(Socket socket)
    {
        try
        {
            // Before it is sent: its answer may have come when send returns.
            Transfers.Sending(_held.Span);
            while (!_held.IsEmpty)
            {
                int count = socket.Send(_held.Span, SocketFlags.None);
                _held = _held[count..];
                Volatile.Write(ref _lastMove, Environment.TickCount64);
            }
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            Fail(socket, failure);
        }
        catch (RecordingException failure)
        {
            // What can't be recorded is not sent either, and ends the command as input that can't be read does.
            ReadFailure = failure;
            End();
        }
    }

    private void End()
    {
        Socket? socket;
        lock (_lock)
        {
            _hasEnded = true;
            socket = _socket;
        }

        if (socket is not null && (HalfCloses || ReadFailure is not null))
        {
            EndSending(socket);
        }

        lock (_lock)
        {
            _isOver = true;
            Monitor.PulseAll(_lock);
        }
    }

    private void EndSending(Socket socket)
    {
        try
        {
            Transfers.SendingEnds();
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            Fail(socket, failure);
        }
        catch (RecordingException failure)
        {
            ReadFailure = failure;
        }
    }

    private void Fail(Socket socket, Exception failure)
    {
        lock (_lock)
        {
            if (_socket == socket)
            {
                (SendFailure, Unsent, _isOver) = (failure, _held.Length, true);
                Monitor.PulseAll(_lock);
            }
        }
    }
}
