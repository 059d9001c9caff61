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
    private readonly bool _halfClose;

    /// <summary>What went wrong on the sending side.</summary>
    private volatile Exception? _sendFailure;

    /// <summary>How many bytes of standard input had been read and not sent when sending failed.</summary>
    private volatile int _unsent;

    private volatile Exception? _inputFailure;

    private StreamJoin(Endpoint endpoint, Socket socket, JoinedInput input, StandardOutput output, bool halfClose)
    {
        _endpoint = endpoint;
        _socket = socket;
        _input = input;
        _output = output;
        _halfClose = halfClose;
    }

    public static async Task<int> RunAsync(
        Endpoint endpoint, JoinedInput input, StandardOutput output, bool halfClose, TimeSpan timeout, ClientOptions options)
    {
        using Socket socket = await Connector.ConnectAsync(endpoint, timeout, options, CancellationToken.None);
        socket.Blocking = true;
        StreamJoin join = new(endpoint, socket, input, output, halfClose);

        // Each direction has a thread of its own and blocks in read, send, recv and write: nothing is faster for one connection, and
        // a background thread that waits for standard input does not keep the process.
        new Thread(join.SendInput) { IsBackground = true, Name = "standard input" }.Start();
        return await Task.Factory.StartNew(
            join.ReceiveOutput, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
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

            if (_halfClose)
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
        }

        _unsent = 0;
    }

    private int ReceiveOutput()
    {
        byte[] buffer = new byte[BufferBytes];
        try
        {
            int count;
            while ((count = _socket.Receive(buffer)) > 0)
            {
                _output.Write(buffer.AsSpan(0, count));
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

    private string Unsent(Exception failure)
    {
        string why = NetworkException.From("send", _endpoint.ToString(), failure).Message;
        return $"{why}; the peer had ended, and {_unsent} bytes that standard input gave were not sent";
    }
}
