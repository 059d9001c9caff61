using System.Net.Sockets;
using Doorbell.Cli.Input;
using Doorbell.Cli.Printing;

namespace Doorbell.Cli.Verbs;

/// <summary>
/// Standard input and output joined to a connection, both directions at once. It ends when the peer does, even with standard input
/// still open, and never before all that the peer sent is written.
/// </summary>
internal sealed class StreamJoin
{
    private const int BufferBytes = 64 * 1024;

    private readonly Endpoint _endpoint;
    private readonly Socket _socket;
    private readonly StandardOutput _output;
    private readonly bool _halfClose;

    /// <summary>What went wrong on the sending side; decides the exit code only if the peer does not end in order after it.</summary>
    private volatile Exception? _sendFailure;

    private volatile Exception? _inputFailure;

    private StreamJoin(Endpoint endpoint, Socket socket, StandardOutput output, bool halfClose)
    {
        _endpoint = endpoint;
        _socket = socket;
        _output = output;
        _halfClose = halfClose;
    }

    public static async Task<int> RunAsync(
        Endpoint endpoint, StandardOutput output, bool halfClose, TimeSpan timeout, ClientOptions options)
    {
        using Socket socket = await Connector.ConnectAsync(endpoint, timeout, options, CancellationToken.None);
        socket.Blocking = true;
        StreamJoin join = new(endpoint, socket, output, halfClose);

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
            using Stream input = StandardInput.Open();
            byte[] buffer = new byte[BufferBytes];
            int count;
            while ((count = input.Read(buffer)) > 0)
            {
                SendAll(buffer.AsSpan(0, count));
            }

            if (_halfClose)
            {
                _socket.Shutdown(SocketShutdown.Send);
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
            bytes = bytes[_socket.Send(bytes, SocketFlags.None)..];
        }
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

            return _inputFailure is { } broken ? Failure.Network(StandardOutput.Wording("read standard input", broken)) : 0;
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
}
