using System.Net;
using System.Net.Sockets;
using Doorbell.Bench.Peers;

namespace Doorbell.Bench.Sockets;

/// <summary>UDP with <see cref="SocketAsyncEventArgs"/>: no task and no allocation for a datagram, save the peer's address.</summary>
internal sealed class UdpEventArgs : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly SocketAsyncEventArgs _receive = new();
    private readonly SocketAsyncEventArgs _send = new();
    private readonly TaskCompletionSource _broken = new();
    private readonly IPEndPoint _anyone = new(IPAddress.Any, 0);

    private UdpEventArgs(int port)
    {
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
        byte[] buffer = GC.AllocateUninitializedArray<byte>(65536, pinned: true);
        _receive.SetBuffer(buffer, 0, buffer.Length);
        _send.SetBuffer(buffer, 0, buffer.Length);
        _receive.Completed += (_, _) =>
        {
            if (Answer())
            {
                Run();
            }
        };
        _send.Completed += (_, _) => Run();
        Console.WriteLine($"listening {((IPEndPoint)_socket.LocalEndPoint!).Port}");
    }

    public static async Task ServeAsync(int port)
    {
        using UdpEventArgs server = new(port);
        server.Run();
        await server._broken.Task;
    }

    public void Dispose()
    {
        _socket.Dispose();
        _receive.Dispose();
        _send.Dispose();
    }

    /// <summary>On and on while calls complete at once; what does not comes back by its event.</summary>
    private void Run()
    {
        try
        {
            do
            {
                _receive.RemoteEndPoint = _anyone;
                if (_socket.ReceiveFromAsync(_receive))
                {
                    return;
                }
            }
            while (Answer());
        }
        catch (Exception failure)
        {
            _broken.TrySetException(failure);
        }
    }

    /// <summary>Whether the next may be received: the buffer is free again.</summary>
    private bool Answer()
    {
        if (_receive.SocketError != SocketError.Success)
        {
            return true; // a peer has gone (ICMP port unreachable): not ours
        }

        Capitals.Make(_receive.MemoryBuffer.Span[.._receive.BytesTransferred]);
        _send.SetBuffer(0, _receive.BytesTransferred);
        _send.RemoteEndPoint = _receive.RemoteEndPoint;
        return !_socket.SendToAsync(_send);
    }
}
