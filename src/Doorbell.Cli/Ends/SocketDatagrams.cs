using System.Net;
using System.Net.Sockets;

namespace Doorbell.Cli.Ends;

/// <summary>
/// A datagram socket of ours. Until an answer has come, an address of the name that nobody serves (ICMP port unreachable) is left for the
/// next one, and the last datagram sent there again.
/// </summary>
internal sealed class SocketDatagrams : IDatagrams
{
    private readonly Endpoint _endpoint;
    private readonly EndPoint[] _addresses;
    private readonly Lock _switching = new();
    private Socket _socket;
    private int _current;
    private bool _isAnswered;
    private byte[]? _last;

    /// <param name="endpoint">Where to.</param>
    /// <param name="addresses">Its addresses, at least one.</param>
    /// <exception cref="NetworkException">There is no route.</exception>
    public SocketDatagrams(Endpoint endpoint, EndPoint[] addresses)
    {
        _endpoint = endpoint;
        _addresses = addresses;
        _socket = Connector.ConnectDatagrams(endpoint, addresses[0]);
    }

    public int MaxBytes => _addresses[_current].AddressFamily == AddressFamily.InterNetworkV6
        ? DatagramLimits.MaxIPv6Bytes
        : DatagramLimits.MaxIPv4Bytes;

    public async ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        while (true)
        {
            Socket socket = Current();
            try
            {
                int count = await DatagramTransfer.ReceiveAsync(socket, buffer, _addresses[_current], cancellation);
                _isAnswered = true;
                return count;
            }
            catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused && TryNextAddress(socket))
            {
                // Nobody serves that address of the name; another may.
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException && Current() != socket)
            {
                // The other direction has gone on to the next address.
            }
        }
    }

    public ValueTask SendAsync(ReadOnlyMemory<byte> datagram, CancellationToken cancellation)
    {
        byte[] bytes = datagram.ToArray();
        lock (_switching)
        {
            Socket socket = _socket;
            try
            {
                Send(bytes);
            }
            catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused && TryNextAddress(socket))
            {
                // What it says is of the datagram before, which has been sent again.
                Send(bytes);
            }

            _last = bytes;
        }

        return ValueTask.CompletedTask;
    }

    public void Dispose() => Current().Dispose();

    private Socket Current()
    {
        lock (_switching)
        {
            return _socket;
        }
    }

    private void Send(byte[] datagram) => DatagramTransfer.Send(_socket, datagram, _addresses[_current]);

    /// <summary>False if there is none, or the peer has answered.</summary>
    private bool TryNextAddress(Socket refused)
    {
        lock (_switching)
        {
            if (refused != _socket)
            {
                return true;
            }

            while (!_isAnswered && _current < _addresses.Length - 1)
            {
                try
                {
                    Socket next = Connector.ConnectDatagrams(_endpoint, _addresses[++_current]);
                    _socket.Dispose();
                    _socket = next;
                    if (_last is not null)
                    {
                        Send(_last);
                    }

                    return true;
                }
                catch (Exception unreachable) when (unreachable is NetworkException or SocketException)
                {
                    // The next address may be reached.
                }
            }

            return false;
        }
    }
}
