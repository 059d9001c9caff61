using Doorbell.Syslog;

namespace Doorbell.Cli.Arguments;

/// <summary>The services that <c>serve</c> knows by name.</summary>
internal static class NamedServices
{
    public const string Default = "capitalize";

    /// <summary>It answers nothing, so it is not offered where nobody named it.</summary>
    private const string Syslog = "syslog";

    /// <summary>Takes the messages that the service syslog receives.</summary>
    public static Action<SyslogMessage, PeerAddress> TakeSyslog { get; set; } = static (_, _) => { };

    /// <summary>Each call of one with a state, such as a broker's members, makes another of it.</summary>
    private static readonly Dictionary<string, Func<TunnelOptions, Service>> _all = new()
    {
        [Default] = static _ => ClassicServices.Capitalize,
        ["echo"] = static _ => ClassicServices.Echo,
        ["discard"] = static _ => ClassicServices.Discard,
        ["daytime"] = static _ => ClassicServices.Daytime,
        ["time"] = static _ => ClassicServices.Time,
        ["broker"] = static _ => Broker.New(),
        ["socks"] = SocksProxy.New,
        ["http-proxy"] = HttpProxy.New,
        [Syslog] = static _ => SyslogService.New((message, from) => TakeSyslog(message, from)),
    };

    /// <summary>Those that speak in datagrams: at a CoAP endpoint all of them are offered.</summary>
    public static IReadOnlyList<Service> OfDatagrams { get; } =
        [.. _all.Values.Select(static make => make(TunnelOptions.Default))
            .Where(static service => service is { NewDatagramHandler: not null, Name: not Syslog })];

    public static IReadOnlyCollection<string> Names => _all.Keys;

    public static string Words => string.Join(", ", _all.Keys);

    public static bool Has(string name) => _all.ContainsKey(name);

    /// <summary>The service of a name; null if there is none.</summary>
    /// <param name="name">As it stands on the command line.</param>
    /// <param name="tunnels">For the proxies.</param>
    public static Service? Find(string name, TunnelOptions tunnels) => _all.GetValueOrDefault(name)?.Invoke(tunnels);

    /// <summary>Whether a service is one of the proxies.</summary>
    public static bool IsProxy(string name) => name is "socks" or "http-proxy";

    /// <exception cref="FormatException">There is none.</exception>
    public static Service Parse(string name) => Find(name, TunnelOptions.Default)
        ?? throw new FormatException($"\"{PrintableText.Escape(name)}\" is no service: {NearName.Advice(name, _all.Keys)}");
}
