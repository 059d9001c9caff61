using System.Net;
using System.Net.Sockets;

namespace Doorbell.Sockets;

/// <summary>Binds unix sockets, whose files outlive the process that made them if it is killed.</summary>
internal static class UnixBinding
{
    /// <exception cref="NetworkException">It can't be bound, or a living server has it.</exception>
    public static DoorSocket Bind(Endpoint endpoint, ListenOptions options)
    {
        bool stream = endpoint.IsStream;
        RemoveIfStale(endpoint);
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
                RemoveIfStale(endpoint);
            }

            throw;
        }
    }

    /// <summary>
    /// Removes a socket's file that nobody serves: a dead server's, or our own once it is closed. Such a file refuses connections
    /// (unix(7), ECONNREFUSED). Anything else that is there, another server's socket above all, stays.
    /// </summary>
    public static void RemoveIfStale(Endpoint endpoint)
    {
        if (!IsSocket(endpoint.Path!))
        {
            return;
        }

        // Not to wait: a living server's backlog may be full.
        SocketType type = endpoint.IsStream ? SocketType.Stream : SocketType.Dgram;
        using Socket probe = new(AddressFamily.Unix, type, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(endpoint.Path!));
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            TryDelete(endpoint.Path!);
        }
        catch (SocketException)
        {
            // Whatever it is, it is not ours to remove: bind says that the address is in use.
        }
    }

    /// <summary>Its folder may not be ours to write any more: then bind says that the address is in use.</summary>
    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception kept) when (kept is IOException or UnauthorizedAccessException)
        {
        }
    }

    /// <summary>
    /// A plain file refuses a connection too, and must never be deleted. Only a socket can't be opened: ENXIO (open(2)) on Linux,
    /// EOPNOTSUPP on macOS. Opened for reading and writing and with no lock, nothing else blocks, a FIFO neither.
    /// </summary>
    private static bool IsSocket(string path)
    {
        const int LinuxNoSuchDevice = 6;
        const int MacNotSupported = 102;
        try
        {
            File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete).Dispose();
            return false;
        }
        catch (IOException refused)
        {
            return refused.HResult is LinuxNoSuchDevice or MacNotSupported;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
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
