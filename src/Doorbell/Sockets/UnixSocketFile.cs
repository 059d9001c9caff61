using System.Net.Sockets;
using Doorbell.Native;

namespace Doorbell.Sockets;

/// <summary>The file of a unix socket, which outlives the process that made it if it is killed.</summary>
internal static class UnixSocketFile
{
    /// <summary>
    /// Removes a socket's file that nobody serves: a dead server's, or our own once it is closed. Such a file refuses connections
    /// (unix(7), ECONNREFUSED). Anything else that is there, another server's socket above all, stays.
    /// </summary>
    public static void RemoveIfStale(Endpoint endpoint)
    {
        // An abstract name has no file (unix(7)).
        if (endpoint.Path is not { } path || path.StartsWith('\0') || !SystemFile.IsSocket(path))
        {
            return;
        }

        // Not to wait: a living server's backlog may be full.
        SocketType type = endpoint.IsStream ? SocketType.Stream : SocketType.Dgram;
        using Socket probe = new(AddressFamily.Unix, type, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            probe.Connect(new UnixEndPoint(path));
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            SystemFile.TryDelete(path);
        }
        catch (SocketException)
        {
            // Whatever it is, it is not ours to remove: bind says that the address is in use.
        }
    }
}
