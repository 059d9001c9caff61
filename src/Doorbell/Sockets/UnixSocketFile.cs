using System.Net.Sockets;
using Doorbell.Native;

namespace Doorbell.Sockets;

/// <summary>The file of a unix socket, which outlives the process that made it if it is killed.</summary>
internal static class UnixSocketFile
{
    /// <summary>From clone(2) to execve(2) takes a millisecond, more on a busy machine.</summary>
    private static readonly TimeSpan _untilItRuns = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// Removes a socket's file that nobody serves: a dead server's, or our own once it is closed. Such a file refuses connections
    /// (unix(7), ECONNREFUSED). Anything else that is there, another server's socket above all, stays.
    /// </summary>
    public static void RemoveIfStale(Endpoint endpoint)
    {
        using FolderLock? folder = Lock(endpoint);
        RemoveIfStaleLocked(endpoint);
    }

    /// <summary>
    /// As <see cref="RemoveIfStale"/>, of a socket that has just been closed. A process that is being started at this moment has it too,
    /// until it runs, and would be taken for its server.
    /// </summary>
    public static void RemoveOnceClosed(Endpoint endpoint)
    {
        SpinWait.SpinUntil(() => !IsKnownToKernel(endpoint), _untilItRuns);
        RemoveIfStale(endpoint);
    }

    /// <summary>
    /// Servers that start at once at one path would each find it stale, remove what the other has bound, and both say that they serve. So
    /// looking, removing and binding is one step, and so is looking and removing. Null for an abstract name, which has no file (unix(7)).
    /// </summary>
    public static FolderLock? Lock(Endpoint endpoint) => HasFile(endpoint) ? new FolderLock(endpoint.Path!) : null;

    /// <summary>Whether some process has a socket bound to the path, or to one that ends in it after a blank (proc_pid_net(5)).</summary>
    public static bool IsKnownToKernel(Endpoint endpoint)
    {
        const string Table = "/proc/net/unix";
        return File.Exists(Table)
            && File.ReadAllBytes(Table).AsSpan().IndexOf(SystemText.ToBytes($" {endpoint.Path}\n")) >= 0;
    }

    /// <summary>As <see cref="RemoveIfStale"/>, of who has the <see cref="Lock"/>.</summary>
    public static void RemoveIfStaleLocked(Endpoint endpoint)
    {
        if (!HasFile(endpoint) || endpoint.Path is not { } path || !SystemFile.IsSocket(path))
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

    private static bool HasFile(Endpoint endpoint) => endpoint.Path is { } path && !path.StartsWith('\0');
}
