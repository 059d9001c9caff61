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

    private readonly string _verb;
    private readonly string _target;
    private readonly Socket _socket;
    private readonly StreamInput _input;
    private readonly StandardOutput _output;

    /// <param name="verb">Which verb joins them, to name in errors.</param>
    /// <param name="target">The connection, to name in errors.</param>
    /// <param name="socket">A connection, whose owner is the caller.</param>
    /// <param name="input">Standard input.</param>
    /// <param name="output">Standard output.</param>
    public StreamJoin(string verb, string target, Socket socket, StreamInput input, StandardOutput output)
    {
        _verb = verb;
        _target = target;
        _socket = socket;
        _input = input;
        _output = output;
        _socket.Blocking = true;
    }

    /// <summary>It ends if no byte moves for so long; null for never.</summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>Is told what has come.</summary>
    public Transfers Transfers { get; init; } = Transfers.Unseen;

    /// <summary>Joins both directions until the end.</summary>
    /// <returns>The exit code.</returns>
    /// <exception cref="StandardStreamException">Standard output can't be written.</exception>
    /// <exception cref="RecordingException">What has come can't be recorded.</exception>
    public async Task<int> RunAsync()
    {
        _input.Join(_socket);
        try
        {
            return await Task.Factory.StartNew(
                ReceiveOutput, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        finally
        {
            _input.Leave();
        }
    }

    private int ReceiveOutput()
    {
        byte[] buffer = new byte[BufferBytes];
        try
        {
            int count;
            while ((count = Receive(buffer)) > 0)
            {
                Transfers.Received(buffer.AsSpan(0, count));
                _output.Write(buffer.AsSpan(0, count));
            }

            if (count < 0)
            {
                return Failure.Network(
                    $"{_verb} {_target}: no byte moved for {IdleTimeout!.Value.TotalSeconds:0.###} s, so the connection was ended");
            }

            Transfers.ReceivedEnd();
            _input.LeaveWhenSilent(_silence);
            if (_input.ReadFailure is { } broken)
            {
                return Failure.Network(StandardOutput.Wording("read standard input", broken));
            }

            // That our own end could not be told to a peer that has gone is no loss.
            return _input is { Unsent: > 0, SendFailure: { } lost } ? Failure.Network(Unsent(lost)) : 0;
        }
        catch (SocketException failure)
        {
            if (_socket is LayeredSocket { Failure: { } why })
            {
                return Failure.Network($"{_verb} {_target}: {why}");
            }

            Exception first = _input.SendFailure ?? failure;
            string operation = _input.SendFailure is null ? "receive" : "send";
            return Failure.Network(NetworkException.From(operation, _target, first).Message);
        }
    }

    /// <summary>Receives what there is, or waits for it; -1 if no byte has moved for too long.</summary>
    private int Receive(byte[] buffer)
    {
        if (IdleTimeout is { } idle)
        {
            // What was written to standard output in between may have taken any time.
            long began = Environment.TickCount64;
            TimeSpan left = idle;
            while (left > TimeSpan.Zero && !_socket.Poll(left, SelectMode.SelectRead))
            {
                long lastMove = Math.Max(began, _input.LastMove);
                left = idle - TimeSpan.FromMilliseconds(Environment.TickCount64 - lastMove);
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
        string why = NetworkException.From("send", _target, failure).Message;
        return $"{why}; the peer had ended, and {_input.Unsent} bytes that standard input gave were not sent";
    }
}
