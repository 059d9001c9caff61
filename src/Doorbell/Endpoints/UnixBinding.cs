using System.Net.Sockets;

namespace Doorbell;

/// <summary>Binds unix sockets, whose files outlive the process that made them if it is killed.</summary>
internal static class UnixBinding
{
    /// <exception cref="NetworkException">It can't be bound, or a living server has it.</exception>
    public static BoundSocket Bind(Endpoint endpoint)
    {
        bool stream = endpoint.IsStream;
        SocketType type = stream ? SocketType.Stream : SocketType.Dgram;
        UnixDomainSocketEndPoint address = new(endpoint.Path!);
        RemoveIfStale(endpoint, address, type);
        string operation = "socket";
        Socket? socket = null;
        try
        {
            socket = new Socket(AddressFamily.Unix, type, ProtocolType.Unspecified);
            operation = "bind";
            socket.Bind(address);
            if (stream)
            {
                operation = "listen";
                socket.Listen();
            }

            return new BoundSocket(socket, new Door(endpoint, Reach.ThisMachine));
        }
        catch (SocketException failure)
        {
            socket?.Dispose();
            throw NetworkException.From(operation, endpoint.ToString(), failure);
        }
    }

    /// <summary>A file that refuses connections is a dead server's (unix(7)): ECONNREFUSED. Anything else that is there stays.</summary>
    private static void RemoveIfStale(Endpoint endpoint, UnixDomainSocketEndPoint address, SocketType type)
    {
        if (!File.Exists(endpoint.Path))
        {
            return;
        }

        using Socket probe = new(AddressFamily.Unix, type, ProtocolType.Unspecified);
        try
        {
            probe.Connect(address);
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused && IsSocket(endpoint.Path!))
        {
            File.Delete(endpoint.Path!);
            return;
        }
        catch (SocketException)
        {
            // Whatever it is, it is not ours to remove: bind says that the address is in use.
        }
    }

    /// <summary>A plain file refuses a connection too, and must never be deleted: only a socket can't be opened (open(2), ENXIO).</summary>
    private static bool IsSocket(string path)
    {
        try
        {
            File.OpenHandle(path).Dispose();
            return false;
        }
        catch (IOException)
        {
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }
}
