using System.Net;
using System.Net.Sockets;
using Doorbell.Cli.Ends;
using Doorbell.Cli.Input;
using Doorbell.Cli.Printing;

namespace Doorbell.Cli.Verbs;

/// <summary>
/// Standard input and output joined to a datagram socket: what one read of standard input gives is a datagram. After the end of
/// input it waits a moment for answers, since a datagram socket has no end of its own.
/// </summary>
internal sealed class DatagramJoin : IDisposable
{
    /// <summary>More than any UDP datagram has: none is cut.</summary>
    private const int ReceiveBytes = ushort.MaxValue;

    private readonly Endpoint _endpoint;
    private readonly EndPoint[] _addresses;
    private readonly ClientOptions _options;
    private readonly Lock _switching = new();
    private readonly CancellationTokenSource _idle = new();
    private Socket _socket;
    private int _current;
    private bool _answered;
    private byte[] _last = [];

    /// <summary>Why the last of the addresses could not be taken.</summary>
    private string? _unreachable;

    /// <param name="endpoint">Where to.</param>
    /// <param name="addresses">Its addresses, at least one.</param>
    /// <param name="options">How to make the socket.</param>
    public DatagramJoin(Endpoint endpoint, EndPoint[] addresses, ClientOptions options)
    {
        _endpoint = endpoint;
        _options = options;
        _addresses = addresses;
        _socket = Connector.ConnectDatagrams(endpoint, addresses[0], options);
    }

    /// <summary>How long to wait for answers after the end of input.</summary>
    public TimeSpan Wait { get; init; }

    /// <summary>It ends if no datagram moves for so long; null for never.</summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>Is told what is sent and what has come.</summary>
    public Transfers Transfers { get; init; } = Transfers.Unseen;

    /// <summary>Joins both directions until the end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(JoinedInput input, StandardOutput output)
    {
        using CancellationTokenSource over = new();
        Moved();
        Task<string?> receiving = ReceiveAsync(output, over.Token);
        TaskCompletionSource<string?> sent = new(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => sent.SetResult(SendInput(input))) { IsBackground = true, Name = "standard input" }.Start();
        string? failure = null;
        if (await Task.WhenAny(sent.Task, receiving) == sent.Task)
        {
            failure = await sent.Task;
            over.CancelAfter(failure is null ? Wait : TimeSpan.Zero);
        }

        failure = await receiving ?? failure;
        return failure is null ? 0 : Failure.Network(failure);
    }

    public void Dispose()
    {
        _socket.Dispose();
        _idle.Dispose();
    }

    /// <summary>Sends what standard input gives; answers what went wrong.</summary>
    private string? SendInput(JoinedInput input)
    {
        try
        {
            byte[] buffer = new byte[_addresses[0].AddressFamily == AddressFamily.InterNetworkV6
                ? DatagramLimits.MaxIPv6Bytes
                : DatagramLimits.MaxIPv4Bytes];
            while (input.Read(buffer) is { IsEmpty: false } datagram)
            {
                Send(datagram.ToArray());
            }

            return null;
        }
        catch (SocketException failure)
        {
            return _unreachable ?? NetworkException.From("send", _endpoint.ToString(), failure).Message;
        }
        catch (ObjectDisposedException)
        {
            return null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return StandardOutput.Wording("read standard input", failure);
        }
    }

    private void Moved() => _idle.CancelAfter(IdleTimeout ?? Timeout.InfiniteTimeSpan);

    private void Send(byte[] datagram)
    {
        Moved();

        // The other direction may be about to go on to the next address: what is sent meanwhile must not be lost.
        lock (_switching)
        {
            Socket socket = _socket;
            _last = datagram;
            try
            {
                SendBy(socket, datagram);
            }
            catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused && TryNextAddress(socket))
            {
                // It has been sent again, to the next address.
            }
        }
    }

    /// <summary>Writes answers until <paramref name="over"/>; answers what went wrong.</summary>
    private async Task<string?> ReceiveAsync(StandardOutput output, CancellationToken over)
    {
        byte[] buffer = new byte[ReceiveBytes];
        while (true)
        {
            Socket socket = _socket;
            try
            {
                using CancellationTokenSource waited = CancellationTokenSource.CreateLinkedTokenSource(over, _idle.Token);
                int count = await DatagramTransfer.ReceiveAsync(socket, buffer, _addresses[_current], waited.Token);
                Moved();
                _answered = true;
                Transfers.Received(buffer.AsSpan(0, count));
                output.Write(buffer.AsSpan(0, count));
            }
            catch (OperationCanceledException)
            {
                return over.IsCancellationRequested
                    ? null
                    : $"connect {_endpoint}: no datagram moved for {IdleTimeout!.Value.TotalSeconds:0.###} s, so the socket was closed";
            }
            catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused && TryNextAddress(socket))
            {
                // Nobody serves that address of the name; another may.
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException && HasLeft(socket))
            {
                // The other direction has gone on to the next address.
            }
            catch (ObjectDisposedException)
            {
                return _unreachable;
            }
            catch (SocketException failure)
            {
                return _unreachable ?? NetworkException.From("receive", _endpoint.ToString(), failure).Message;
            }
            catch (IOException failure)
            {
                return StandardOutput.Wording("write standard output", failure);
            }
        }
    }

    private void SendBy(Socket socket, byte[] datagram)
    {
        Transfers.Sending(datagram);
        DatagramTransfer.Send(socket, datagram, _addresses[_current]);
    }

    /// <summary>
    /// Goes on to the name's next address and sends the last datagram there; false if there is none, or the peer has answered.
    /// </summary>
    private bool TryNextAddress(Socket refused)
    {
        lock (_switching)
        {
            if (refused != _socket)
            {
                return true;
            }

            while (!_answered && _current < _addresses.Length - 1)
            {
                // Before the next one is bound: it may be bound to the same port.
                _socket.Dispose();
                try
                {
                    _socket = Connector.ConnectDatagrams(_endpoint, _addresses[++_current], _options);
                    if (_last.Length > 0)
                    {
                        SendBy(_socket, _last);
                    }

                    _unreachable = null;
                    return true;
                }
                catch (Exception unreachable) when (unreachable is NetworkException or SocketException)
                {
                    // The next address may be reached.
                    _unreachable = unreachable.Message;
                }
            }

            return false;
        }
    }

    /// <summary>Whether this is no longer the socket: its address has been left for the next one.</summary>
    private bool HasLeft(Socket socket)
    {
        lock (_switching)
        {
            return socket != _socket;
        }
    }
}
