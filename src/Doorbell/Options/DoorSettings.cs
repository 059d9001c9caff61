using System.Globalization;

namespace Doorbell.Options;

/// <summary>Reads one of <see cref="ServerOptions.Doors"/> from the pairs of a configuration, as far as they have come.</summary>
/// <param name="services">Those that a configuration may name.</param>
internal sealed class DoorSettings(IReadOnlyList<Service> services)
{
    private readonly SortedDictionary<int, AddressRange> _allow = [];
    private readonly SortedDictionary<int, AddressRange> _deny = [];
    private Endpoint? _endpoint;
    private Service? _service;
    private DoorLimits _limits = DoorLimits.None;
    private SocketFileOptions _file = SocketFileOptions.Default;

    /// <summary>Finds a service by its name.</summary>
    /// <exception cref="FormatException">None has it.</exception>
    public static Service ServiceNamed(string name, IReadOnlyList<Service> services) =>
        services.FirstOrDefault(service => service.Name == name) ?? throw new FormatException(services.Count == 0
            ? $"no service is known by the name \"{PrintableText.Escape(name)}\": give the services to ServerOptions.Parse"
            : $"there is no service \"{PrintableText.Escape(name)}\"; "
                + $"there are {string.Join(", ", services.Select(static of => of.Name))}");

    /// <summary>Sets what the rest of a key says, as in <c>Limits</c>, <c>IdleTimeout</c>.</summary>
    /// <exception cref="FormatException">A door has no such setting, or the value is wrong.</exception>
    public void Apply(ReadOnlySpan<string> key, string value)
    {
        switch (key)
        {
            case [var name] when Is(name, "Endpoint"):
                _endpoint = Endpoint.Parse(value);
                break;
            case [var name] when Is(name, "Service"):
                _service = ServiceNamed(value, services);
                break;
            case [var name, var limit] when Is(name, "Limits"):
                _limits = LimitSettings.Apply(_limits, limit, value);
                break;
            case [var name, var which] when Is(name, "SocketFile"):
                _file = Apply(_file, which, value);
                break;
            case [var name, var list, var at]
                when Is(name, "Access") && (Is(list, "Allow") || Is(list, "Deny")) && Index(at) is { } index:
                (Is(list, "Allow") ? _allow : _deny)[index] = AddressRange.Parse(value);
                break;
            default:
                throw new FormatException(
                    "a door has no such setting; it has Endpoint, Service, Limits:NAME, SocketFile:Mode, SocketFile:Owner, "
                        + "SocketFile:Group, Access:Allow:0 and Access:Deny:0 and so on");
        }
    }

    /// <summary>The door.</summary>
    /// <exception cref="FormatException">It has no endpoint or no service.</exception>
    public DoorOptions Make() => new()
    {
        Endpoint = _endpoint ?? throw new FormatException("it has no Endpoint: give one, as in tcp://localhost:7"),
        Service = _service ?? throw new FormatException("it has no Service: give the name of one"),
        Limits = _limits,
        SocketFile = _file,
        Access = new AccessList { Allow = [.. _allow.Values], Deny = [.. _deny.Values] },
    };

    private static SocketFileOptions Apply(SocketFileOptions file, string name, string value) => name.ToUpperInvariant() switch
    {
        "MODE" => file with { Mode = SocketFileOptions.ParseMode(value) },
        "OWNER" => file with { Owner = value },
        "GROUP" => file with { Group = value },
        _ => throw new FormatException("a SocketFile has no such setting; it has Mode, Owner and Group"),
    };

    private static bool Is(string name, string setting) => name.Equals(setting, StringComparison.OrdinalIgnoreCase);

    private static int? Index(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int index) ? index : null;
}
