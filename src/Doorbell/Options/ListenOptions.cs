using Doorbell.SocketOptions;

namespace Doorbell.Options;

/// <summary>How sockets are bound and listen: what of a server's options the sockets themselves have.</summary>
/// <param name="Backlog">As <see cref="ServerOptions.ListenBacklog"/>; null for the system's maximum.</param>
/// <param name="ReusePort">Whether other servers may share the port.</param>
/// <param name="SocketOptions">What is set beyond Doorbell's own.</param>
internal sealed record ListenOptions(int? Backlog, bool ReusePort, IReadOnlyList<SocketOptionSetting> SocketOptions)
{
    /// <summary>Nothing is asked for.</summary>
    public static ListenOptions Default { get; } = new(null, false, []);
}
