using System.Net.Sockets;

namespace Doorbell;

/// <summary>A socket bound, and listening if it is a stream's.</summary>
/// <param name="Socket">Owned by whoever holds this.</param>
/// <param name="Door">Where it is.</param>
internal sealed record BoundSocket(Socket Socket, Door Door)
{
    /// <summary>What the kernel made of the options set on it.</summary>
    public IReadOnlyList<SocketOptionOutcome> Options { get; init; } = [];

    /// <summary>Options that every connection accepted from it is to have and does not inherit.</summary>
    public IReadOnlyList<SocketOptionSetting> AcceptedOptions { get; init; } = [];
}
