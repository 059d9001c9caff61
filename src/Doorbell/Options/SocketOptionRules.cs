using Doorbell.SocketOptions;

namespace Doorbell.Options;

/// <summary>
/// Refuses socket options that the kernel takes and with which nothing could be served, or which take away what the server itself needs.
/// </summary>
internal static class SocketOptionRules
{
    /// <exception cref="ArgumentException">An option that was asked for can't be had; the message says why.</exception>
    public static void RequireServable(ServerOptions options, ServerModel model)
    {
        // The last of two settings of one option holds.
        foreach (SocketOptionSetting setting in options.SocketOptions.GroupBy(static setting => setting.Option).Select(Enumerable.Last))
        {
            if (Reason(setting, options, model) is { } reason)
            {
                throw new ArgumentException($"{setting} can't be served with: {reason}");
            }
        }
    }

    private static string? Reason(SocketOptionSetting setting, ServerOptions options, ServerModel model) =>
        (setting.Option.Name, setting.Asked) switch
        {
            (_, "0") => ReasonOfNone(setting.Option.Name, options),
            ("UDP_CORK", _) when HasDatagrams(options) => "the kernel would collect all answers into one datagram, and send none (udp(7))",
            ("UDP_ENCAP", _) when HasDatagrams(options) => "the kernel would take the datagrams for its own tunnels",
            ("TCP_REPAIR", _) => "a socket under repair accepts and sends nothing",
            ("UDP_GRO", _) when model.Lane == LaneKind.Task || options.Engine == EngineKind.Portable =>
                "the portable engine receives each datagram by itself and could not cut joined ones apart",
            ("UDP_GRO", _) when options.Services.Any(static service => service.Program is not null) =>
                "a program gets one datagram each, and joined ones are not cut apart for it",
            ("SO_LOCK_FILTER", _) when options.LeavesSharedPort =>
                "ServerOptions.ReusePort needs a packet filter at the drain, which keeps newcomers out of the closing listener",
            _ => null,
        };

    private static string? ReasonOfNone(string name, ServerOptions options) => name switch
    {
        "SO_REUSEPORT" when options.ReusePort => "ServerOptions.ReusePort asks for the opposite",
        "IP_PKTINFO" or "IPV6_RECVPKTINFO" when options.ServedDoors.Any(IsOfEveryAddress) =>
            "a datagram socket that is bound to every address answers from the one that was asked, and learns it by this option; "
                + "bind it to one address to do without",
        _ => null,
    };

    /// <summary>Where there are none, an option of datagram sockets has no effect, which is said as of any other option.</summary>
    private static bool HasDatagrams(ServerOptions options) =>
        options.ServedDoors.Any(static door => door.Endpoint.IsPassed || !door.Endpoint.IsStream);

    /// <summary>A socket that was passed may be of any kind.</summary>
    private static bool IsOfEveryAddress(DoorOptions door) =>
        door.Endpoint.IsPassed || (!door.Endpoint.IsStream && door.Endpoint.Host is "*" or "0.0.0.0" or "::");
}
