using System.Net.Sockets;

namespace Doorbell;

/// <summary>A socket bound, and listening if it is a stream's.</summary>
/// <param name="Socket">Owned by whoever holds this.</param>
/// <param name="Door">Where it is; several sockets may share one.</param>
internal sealed record BoundSocket(Socket Socket, Door Door)
{
    /// <summary>For calls that System.Net.Sockets does not have; valid as long as the socket is open.</summary>
    public int Descriptor => (int)Socket.SafeHandle.DangerousGetHandle();

    /// <summary>What the kernel made of the options set on it.</summary>
    public IReadOnlyList<SocketOptionOutcome> Options { get; init; } = [];

    /// <summary>Options that every connection accepted from it is to have and does not inherit: whoever accepts sets them.</summary>
    public SocketOptionSetting[] AcceptedOptions { get; init; } = [];
}
