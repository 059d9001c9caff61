using System.Net.Sockets;
using Doorbell.Cli.Input;
using Doorbell.Cli.Printing;

namespace Doorbell.Cli.Verbs;

/// <summary>
/// Standard input and output joined to a connection, both directions at once. It ends when the peer does, even with standard input
/// still open, but never before all that the peer sent is written, and all that standard input gave is sent: the end of the peer says that
/// it sends no more, not that it takes no more (RFC 9293 section 3.6).
/// </summary>
internal sealed class StreamJoin
{
    private const int BufferBytes = 64 * 1024;

    /// <summary>
    /// After the peer's end, standard input that has given nothing for so long is taken for one that stays silent, such as a terminal.
    /// </summary>
    private static readonly TimeSpan _silence = TimeSpan.FromSeconds(0.5);

    private readonly Endpoint _endpoint;
    private readonly Socket _socket;
    private readonly JoinedInput _input;
    private readonly StandardOutput _output;

    /// <summary>When a byte has last moved, as <see cref="Environment.TickCount64"/> has it.</summary>
    private long _lastMove = Environment.TickCount64;

    /// <summary>What went wrong on the sending side.</summary>
    private volatile Exception? _sendFailure;

    /// <summary>How many bytes of standard input had been read and not sent when sending failed.</summary>
    private volatile int _unsent;

    private volatile Exception? _inputFailure;

    /// <param name="endpoint">Where the socket is connected to, to name in errors.</param>
    /// <param name="socket">A connection, whose owner is the caller.</param>
    /// <param name="input">Standard input.</param>
    /// <param name="output">Standard output.</param>
    public StreamJoin(Endpoint endpoint, Socket socket, JoinedInput input, StandardOutput output)
    {
        _endpoint = endpoint;
        _socket = socket;
        _input = input;
        _output = output;
        _socket.Blocking = true;
    }

    /// <summary>Whether the end of input ends our side of the connection.</summary>
    public bool HalfCloses { get; init; } = true;

    /// <summary>It ends if no byte moves for so long; null for never.</summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>Joins both directions until the end.</summary>
    /// <returns>The exit code.</returns>
    public Task<int> RunAsync()
    {
        // Each direction has a thread of its own and blocks in read, send, recv and write: nothing is faster for one connection, and
        // a background thread that waits for standard input does not keep the process.
        new Thread(SendInput) { IsBackground = true, Name = "standard input" }.Start();
        return Task.Factory.StartNew(
            ReceiveOutput, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private void SendInput()
    {
        try
        {
            byte[] buffer = new byte[BufferBytes];
            while (_input.Read(buffer) is { IsEmpty: false } bytes)
            {
                SendAll(bytes);
            }

            if (HalfCloses)
            {
                EndInput();
            }
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            _sendFailure = failure;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The input is broken, not the connection: end our side, so that the peer's answer to what it got still comes.
            _inputFailure = failure;
            EndInput();
        }
        finally
        {
            _input.End();
        }
    }

    private void EndInput()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            _sendFailure = failure;
        }
    }

    private void SendAll(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            _unsent = bytes.Length;
            bytes = bytes[_socket.Send(bytes, SocketFlags.None)..];
            Volatile.Write(ref _lastMove, Environment.TickCount64);
        }

        _unsent = 0;
    }

    private int ReceiveOutput()
    {
        byte[] buffer = new byte[BufferBytes];
        try
        {
            int count;
            while ((count = Receive(buffer)) > 0)
            {
                _output.Write(buffer.AsSpan(0, count));
            }

            if (count < 0)
            {
                return Failure.Network(
                    $"connect {_endpoint}: no byte moved for {IdleTimeout!.Value.TotalSeconds:0.###} s, so the connection was ended");
            }

            _input.WaitUntilSilent(_silence);
            if (_inputFailure is { } broken)
            {
                return Failure.Network(StandardOutput.Wording("read standard input", broken));
            }

            // That our own end could not be told to a peer that has gone is no loss.
            return _unsent > 0 && _sendFailure is { } lost ? Failure.Network(Unsent(lost)) : 0;
        }
        catch (SocketException failure)
        {
            Exception first = _sendFailure ?? failure;
            string operation = _sendFailure is null ? "receive" : "send";
            return Failure.Network(NetworkException.From(operation, _endpoint.ToString(), first).Message);
        }
        catch (IOException failure)
        {
            return Failure.Network(StandardOutput.Wording("write standard output", failure));
        }
    }

    /// <summary>Receives what there is, or waits for it; -1 if no byte has moved for too long.</summary>
    private int Receive(byte[] buffer)
    {
        if (IdleTimeout is { } idle)
        {
            // What was written to standard output in between may have taken any time.
            Volatile.Write(ref _lastMove, Environment.TickCount64);
            TimeSpan left = idle;
            while (left > TimeSpan.Zero && !_socket.Poll(left, SelectMode.SelectRead))
            {
                left = idle - TimeSpan.FromMilliseconds(Environment.TickCount64 - Volatile.Read(ref _lastMove));
            }

            if (left <= TimeSpan.Zero)
            {
                return -1;
            }
        }

        return _socket.Receive(buffer);
    }

    private string Unsent(Exception failure)
    {
        string why = NetworkException.From("send", _endpoint.ToString(), failure).Message;
        return $"{why}; the peer had ended, and {_unsent} bytes that standard input gave were not sent";
    }
}
