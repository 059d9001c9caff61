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
        FileAccess access = FileAccess.Of(options.SocketFile);
        string operation = "socket";
        Socket? socket = null;
        bool bound = false;
        try
        {
            socket = new Socket(AddressFamily.Unix, stream ? SocketType.Stream : SocketType.Dgram, ProtocolType.Unspecified);
            ServerSocketOptions asked = new(socket, options.SocketOptions, endpoint.ToString());
            asked.BeforeBind();
            operation = "bind";
            BindFile(socket, endpoint, access);
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
    /// Makes the socket's file. It is never more open than it is to be, not for a moment: on Linux bind(2) gives the file the mode of the
    /// socket, less the umask (unix_bind_bsd() in net/unix/af_unix.c), which is at first what the owner alone may do. Its owner and group
    /// are changed next, and its mode last. Elsewhere it is changed before listen(2), and until that every connection is refused.
    /// </summary>
    /// <exception cref="NetworkException">The file can't have this mode, owner or group; it is removed then.</exception>
    private static void BindFile(Socket socket, Endpoint endpoint, FileAccess access)
    {
        const UnixFileMode OfOwner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        string path = endpoint.Path!;
        if (access.Mode is { } asked && OperatingSystem.IsLinux())
        {
            using SafeFileHandle handle = new(socket.SafeHandle.DangerousGetHandle(), ownsHandle: false);
            File.SetUnixFileMode(handle, asked & OfOwner);
        }

        socket.Bind(new UnixEndPoint(path) { IsOfListener = socket.SocketType == SocketType.Stream });
        if (OperatingSystem.IsLinux())
        {
            string call = "";
            int errno = access.IsAsked ? SystemFile.SetAccess(path, (int?)access.Mode, access.User, access.Group, out call) : 0;
            if (errno != 0)
            {
                SystemFile.TryDelete(path);
                throw NetworkException.FromErrno(call, endpoint.ToString(), errno);
            }
        }
        else if (access.Mode is { } mode && !OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, mode);
        }
    }

    /// <summary>What is asked of the file, in numbers.</summary>
    /// <param name="Mode">Null if the umask decides.</param>
    /// <param name="User">-1 if it stays ours.</param>
    /// <param name="Group">-1 if it stays ours.</param>
    private readonly record struct FileAccess(UnixFileMode? Mode, int User, int Group)
    {
        public bool IsAsked => Mode is not null || User >= 0 || Group >= 0;

        /// <exception cref="ArgumentException">There is no such user or group.</exception>
        public static FileAccess Of(SocketFileOptions? file) => file is null ? new(null, -1, -1) : new(
            file.Mode,
            file.Owner is { } owner ? Accounts.User(owner) : -1,
            file.Group is { } group ? Accounts.Group(group) : -1);
    }
}
