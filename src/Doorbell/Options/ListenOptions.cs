using Doorbell.SocketOptions;

namespace Doorbell.Options;

/// <summary>How sockets are bound and listen: what of a server's options the sockets themselves have.</summary>
/// <param name="Backlog">As <see cref="ServerOptions.ListenBacklog"/>; null for the system's maximum.</param>
/// <param name="ReusePort">Whether other servers may share the port.</param>
/// <param name="SocketOptions">What is set beyond Doorbell's own.</param>
/// <param name="SocketFile">What is asked of a unix socket's file; null for nothing.</param>
internal sealed record ListenOptions(
    int? Backlog, bool ReusePort, IReadOnlyList<SocketOptionSetting> SocketOptions, SocketFileOptions? SocketFile = null)
{
    /// <summary>Nothing is asked for.</summary>
    public static ListenOptions Default { get; } = new(null, false, []);

    /// <summary>Whether another program may have its part of the port: by <see cref="ReusePort"/>, or by SO_REUSEPORT=1 itself.</summary>
    public bool SharesPort => ReusePort
        || SocketOptions.LastOrDefault(static setting => setting.Option.Name == "SO_REUSEPORT") is { Asked: "1" };
}
