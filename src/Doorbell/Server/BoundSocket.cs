using System.Net.Sockets;

namespace Doorbell;

/// <summary>A socket bound, and listening if it is a stream's.</summary>
/// <param name="Socket">Owned by whoever holds this.</param>
/// <param name="Door">Where it is; several sockets may share one.</param>
internal sealed record BoundSocket(Socket Socket, Door Door)
{
    /// <summary>For calls that System.Net.Sockets does not have; valid as long as the socket is open.</summary>
    public int Descriptor => (int)Socket.SafeHandle.DangerousGetHandle();

    /// <summary>Whether connections are accepted from it; otherwise it receives datagrams.</summary>
    public bool IsListener => Door.Endpoint.IsStream;

    /// <summary>Closes it, and removes its file if it is a unix socket of ours.</summary>
    public void Close()
    {
        Socket.Dispose();
        if (Door.Endpoint.IsUnix && !IsPassed)
        {
            UnixBinding.RemoveIfStale(Door.Endpoint);
        }
    }

    /// <summary>
    /// Another process made it, and holds it too: at a drain what waits in its backlog is for whoever comes next, and a unix socket's
    /// file is not ours to remove.
    /// </summary>
    public bool IsPassed { get; init; }

    /// <summary>What the kernel made of the options set on it.</summary>
    public IReadOnlyList<SocketOptionOutcome> Options { get; init; } = [];

    /// <summary>Options that every connection accepted from it is to have and does not inherit: whoever accepts sets them.</summary>
    public SocketOptionSetting[] AcceptedOptions { get; init; } = [];
}
