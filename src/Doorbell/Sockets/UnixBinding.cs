using System.Net.Sockets;
using Doorbell.Native;
using Doorbell.Options;
using Microsoft.Win32.SafeHandles;

namespace Doorbell.Sockets;

/// <summary>Binds unix sockets, whose files outlive the process that made them if it is killed.</summary>
internal static class UnixBinding
{
    /// <exception cref="NetworkException">It can't be bound, or a living server has it.</exception>
    public static DoorSocket Bind(Endpoint endpoint, ListenOptions options)
    {
        bool stream = endpoint.IsStream;

        // Until it listens: a bound socket that does not yet would be taken for a dead server's.
        using FolderLock? folder = UnixSocketFile.Lock(endpoint);
        UnixSocketFile.RemoveIfStaleLocked(endpoint);
        string operation = "socket";
        Socket? socket = null;
        bool bound = false;
        try
        {
            socket = new Socket(AddressFamily.Unix, stream ? SocketType.Stream : SocketType.Dgram, ProtocolType.Unspecified);
            ServerSocketOptions asked = new(socket, options.SocketOptions, endpoint.ToString());
            asked.BeforeBind();
            operation = "bind";
            BindFile(socket, endpoint.Path!, options.IsPrivate);
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
                UnixSocketFile.RemoveIfStaleLocked(endpoint);
            }

            throw;
        }
    }

    /// <summary>
    /// Makes the socket's file. A private one is never another user's to connect to, not for a moment: on Linux bind(2) gives the file the
    /// mode of the socket, less the umask (unix_bind_bsd() in net/unix/af_unix.c). Elsewhere it is changed before listen(2), and until
    /// that every connection is refused.
    /// </summary>
    private static void BindFile(Socket socket, string path, bool isPrivate)
    {
        const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        if (isPrivate && OperatingSystem.IsLinux())
        {
            using SafeFileHandle handle = new(socket.SafeHandle.DangerousGetHandle(), ownsHandle: false);
            File.SetUnixFileMode(handle, Private);
        }

        socket.Bind(new UnixEndPoint(path) { IsOfListener = socket.SocketType == SocketType.Stream });
        if (isPrivate && !OperatingSystem.IsLinux() && !OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, Private);
        }
    }
}
