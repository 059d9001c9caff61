using System.Net.Sockets;
using Doorbell.Native;
using Doorbell.SocketOptions;

namespace Doorbell.Sockets;

/// <summary>A socket bound, and listening if it is a stream's.</summary>
/// <param name="Socket">Owned by whoever holds this.</param>
/// <param name="Door">Where it is; several sockets may share one.</param>
internal sealed record DoorSocket(Socket Socket, Door Door)
{
    /// <summary>Shared by all copies of this record, since they are of the same socket.</summary>
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when this process has closed it.</summary>
    public Task Released => _released.Task;

    /// <summary>For calls that System.Net.Sockets does not have; valid as long as the socket is open.</summary>
    public int Descriptor => (int)Socket.SafeHandle.DangerousGetHandle();

    /// <summary>Whether connections are accepted from it; otherwise it receives datagrams.</summary>
    public bool IsListener => Door.Endpoint.IsStream;

    /// <summary>
    /// Before the last accepts of a server that shares its port with another: from here on the backlog only shrinks, and who is not
    /// yet in it comes to the other server.
    /// </summary>
    public void StopHandshakes()
    {
        if (OperatingSystem.IsLinux() && IsListener && !Door.Endpoint.IsUnix)
        {
            HandshakeFilter.Attach(Descriptor);
        }
    }

    /// <summary>
    /// Before the last accepts of listeners that nobody else will accept from: who connects from here on is refused, and waits in none of
    /// their backlogs when they are closed. A handshake over a network may still be under way: its peer is reset at the close.
    /// </summary>
    public static void StopConnects(IEnumerable<DoorSocket> listeners)
    {
        if (OperatingSystem.IsLinux())
        {
            foreach (DoorSocket listener in listeners.Where(static socket => socket.IsAlone && socket.IsListener))
            {
                listener.StopConnects();
            }
        }
    }

    /// <summary>A method of its own: the system calls of a method are looked for before it is run, and only Linux has these.</summary>
    private void StopConnects()
    {
        if (Door.Endpoint.IsUnix)
        {
            // unix(7) does not say so: connect(2) answers ECONNREFUSED (unix_stream_connect in net/unix/af_unix.c), and accept(2), behind
            // the last that waits, EINVAL.
            _ = Libc.shutdown_(Descriptor, Libc.ShutdownReceive);
        }
        else
        {
            HandshakeFilter.RefuseSyn(Descriptor);
        }
    }

    /// <summary>Behind <see cref="StopHandshakes"/>, of a connection just accepted.</summary>
    public static void ResumeHandshakes(int connection)
    {
        if (OperatingSystem.IsLinux())
        {
            HandshakeFilter.Detach(connection);
        }
    }

    /// <summary>
    /// Closes our descriptor and nothing else, at once. A Socket that is in use when it is disposed is disconnected first, which would end
    /// it for every process that has it too (SafeSocketHandle.Unix.cs, TryUnblockSocket): so it is left with another in its place, which
    /// dup3(2) puts there. To make it one that children inherit, which .NET spares, would let a program that is started in that moment
    /// keep the port.
    /// </summary>
    public void Release()
    {
        if (OperatingSystem.IsLinux() && !Socket.SafeHandle.IsClosed)
        {
            int spare = Libc.socket(Libc.UnixFamily, Libc.StreamType | Libc.SocketCloseOnExec, 0);
            _ = spare >= 0
                ? Libc.dup3(spare, Descriptor, Libc.CloseOnExec)
                : Libc.fcntl(Descriptor, Libc.SetDescriptorFlags, 0); // no descriptor is left
            _ = Libc.close(spare);
        }

        Socket.Dispose();
        _released.TrySetResult();
    }

    /// <summary>Closes it, and removes its file if it is a unix socket of ours.</summary>
    /// <param name="isHandedOver">
    /// Its file may be another server's by now. It is looked up before anybody connects to it: a server counts its connections.
    /// </param>
    public void Close(bool isHandedOver = false)
    {
        Release();
        if (Door.Endpoint.IsUnix && !IsPassed && !(isHandedOver && UnixSocketFile.IsKnownToKernel(Door.Endpoint)))
        {
            UnixSocketFile.RemoveOnceClosed(Door.Endpoint);
        }
    }

    /// <summary>Another process made it, and may hold it too: a unix socket's file is not ours to remove.</summary>
    public bool IsPassed { get; init; }

    /// <summary>
    /// Whether this server made it, hands it to no other, and shares its port with none: then nobody serves who connects at its end.
    /// </summary>
    public bool IsAlone { get; init; }

    /// <summary>Whether the process that made it counts what the kernel drops at its full receive buffer, and this one does not.</summary>
    public bool IsCountedElsewhere { get; init; }

    /// <summary>
    /// Whether it is one of several datagram sockets of a door, and not the first. What comes to all of them is the first one's to answer.
    /// </summary>
    public bool IsFurther { get; init; }

    /// <summary>Datagrams that the kernel had dropped when another process passed it: that one's to count.</summary>
    public uint DroppedBefore { get; init; }

    /// <summary>What the kernel made of the options set on it.</summary>
    public IReadOnlyList<SocketOptionOutcome> Options { get; init; } = [];

    /// <summary>Options that every connection accepted from it is to have and does not inherit: whoever accepts sets them.</summary>
    public SocketOptionSetting[] AcceptedOptions { get; init; } = [];
}
