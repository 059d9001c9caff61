using System.Net;
using System.Net.Sockets;
using Doorbell.Options;

namespace Doorbell.Sockets;

/// <summary>Binds unix sockets, whose files outlive the process that made them if it is killed.</summary>
internal static class UnixBinding
{
    /// <exception cref="NetworkException">It can't be bound, or a living server has it.</exception>
    public static DoorSocket Bind(Endpoint endpoint, ListenOptions options)
    {
        bool stream = endpoint.IsStream;
        UnixSocketFile.RemoveIfStale(endpoint);
        string operation = "socket";
        Socket? socket = null;
        bool bound = false;
        try
        {
            socket = new Socket(AddressFamily.Unix, stream ? SocketType.Stream : SocketType.Dgram, ProtocolType.Unspecified);
            ServerSocketOptions asked = new(socket, options.SocketOptions, endpoint.ToString());
            asked.BeforeBind();
            operation = "bind";
            socket.Bind(new KeptEndPoint(endpoint.Path!));
            bound = true;
            asked.BeforeListen();
            if (stream)
            {
                operation = "listen";
                socket.Listen(options.Backlog ?? IPBinding.SystemsMaximum);
            }

            return asked.Bound(new Door(endpoint, Reach.ThisMachine));
        }
        catch (SocketException failure)
        {
            socket?.Dispose();
            throw NetworkException.From(operation, endpoint.ToString(), failure);
        }
        catch (NetworkException)
        {
            socket?.Dispose();
            if (bound)
            {
                UnixSocketFile.RemoveIfStale(endpoint);
            }

            throw;
        }
    }

    /// <summary>
    /// A unix address whose file Socket does not delete by itself when it is closed: by then the path may be another server's.
    /// </summary>
    private sealed class KeptEndPoint(string path) : EndPoint
    {
        private readonly UnixDomainSocketEndPoint _address = new(path);

        public override AddressFamily AddressFamily => AddressFamily.Unix;

        public override SocketAddress Serialize() => _address.Serialize();

        public override EndPoint Create(SocketAddress socketAddress) => _address.Create(socketAddress);
    }
}
