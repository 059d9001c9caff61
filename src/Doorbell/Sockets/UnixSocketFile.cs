using System.Net.Sockets;

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
}
