namespace Doorbell.Cli.Arguments;

/// <summary>The services that <c>serve</c> knows by name.</summary>
internal static class NamedServices
{
    public const string Default = "capitalize";

    /// <summary>Each call of one with a state, such as a broker's members, makes another of it.</summary>
    private static readonly Dictionary<string, Func<Service>> _all = new()
    {
        [Default] = static () => ClassicServices.Capitalize,
        ["echo"] = static () => ClassicServices.Echo,
        ["discard"] = static () => ClassicServices.Discard,
        ["daytime"] = static () => ClassicServices.Daytime,
        ["time"] = static () => ClassicServices.Time,
        ["broker"] = Broker.New,
    };

    /// <summary>Those that speak in datagrams: at a CoAP endpoint all of them are offered.</summary>
    public static IReadOnlyList<Service> OfDatagrams { get; } =
        [.. _all.Values.Select(static make => make()).Where(static service => service.NewDatagramHandler is not null)];

    public static string Words => string.Join(", ", _all.Keys);

    public static bool Has(string name) => _all.ContainsKey(name);

    /// <summary>The service of a name; null if there is none.</summary>
    public static Service? Find(string name) => _all.GetValueOrDefault(name)?.Invoke();

    /// <exception cref="FormatException">There is none.</exception>
    public static Service Parse(string name) => Find(name)
        ?? throw new FormatException($"\"{PrintableText.Escape(name)}\" is no service: give one of {Words}");
}
