using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>A client of a server of datagrams; over unix sockets with an address of its own, so that answers find it.</summary>
internal sealed class DatagramCaller : IDisposable
{
    private readonly Socket _socket;
    private readonly string? _file;

    public DatagramCaller(Endpoint endpoint)
    {
        if (endpoint.IsUnix)
        {
            _file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
            _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            _socket.Bind(new UnixDomainSocketEndPoint(_file));
            _socket.Connect(new UnixDomainSocketEndPoint(endpoint.Path!));
        }
        else
        {
            _socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            _socket.Connect(IPAddress.Loopback, endpoint.Port);
        }

        _socket.ReceiveTimeout = 20_000;
    }

    public void Send(string text) => _socket.Send(Encoding.ASCII.GetBytes(text));

    public bool IsSilentFor(TimeSpan time) => !_socket.Poll(time, SelectMode.SelectRead);

    public string Receive()
    {
        byte[] buffer = new byte[64 * 1024];
        return Encoding.ASCII.GetString(buffer, 0, _socket.Receive(buffer));
    }

    public void Dispose()
    {
        _socket.Dispose();
        if (_file is not null)
        {
            File.Delete(_file);
        }
    }
}
