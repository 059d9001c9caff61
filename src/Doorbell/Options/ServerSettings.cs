using System.Globalization;
using Doorbell.SocketOptions;

namespace Doorbell.Options;

/// <summary>
/// Reads <see cref="ServerOptions"/> from the pairs of a configuration. It uses no reflection, so it works in native code. What can't be
/// read is an error that names the key; a binder leaves out what it does not understand of a list.
/// </summary>
internal static class ServerSettings
{
    private const string Lists = "Endpoints, Doors and SocketOptions are lists, so their keys are Endpoints:0, Doors:0:Endpoint and so on";

    /// <param name="settings">The pairs.</param>
    /// <param name="services">Those that a door may name.</param>
    public static ServerOptions Read(IEnumerable<KeyValuePair<string, string?>> settings, IReadOnlyList<Service> services)
    {
        ServerOptions options = new();
        SortedDictionary<int, Endpoint> endpoints = [];
        SortedDictionary<int, DoorSettings> doors = [];
        SortedDictionary<int, SocketOptionSetting> socketOptions = [];
        foreach ((string key, string? value) in settings)
        {
            // A section: its values have keys of their own.
            if (value is null)
            {
                continue;
            }

            try
            {
                string[] parts = key.Split(':');
                switch (parts[0].ToUpperInvariant())
                {
                    case "ENDPOINTS":
                        endpoints.Add(Index(parts), Endpoint.Parse(value));
                        break;
                    case "SOCKETOPTIONS":
                        socketOptions.Add(Index(parts), SocketOptionSetting.Parse(value));
                        break;
                    case "DOORS" when parts.Length > 2:
                        DoorAt(doors, Index(parts[..2]), services).Apply(parts.AsSpan(2), value);
                        break;
                    case "STREAMLIMITS" when parts.Length == 2:
                        options = options with { StreamLimits = LimitSettings.Apply(options.StreamLimits ?? new(), parts[1], value) };
                        break;
                    case "SERVICE" when parts.Length == 1:
                        options = options with { Service = DoorSettings.ServiceNamed(value, services) };
                        break;
                    default:
                        options = parts.Length == 1 ? Apply(options, parts[0], value) : throw Unknown(key);
                        break;
                }
            }
            catch (Exception wrong) when (wrong is FormatException or ArgumentException or OverflowException)
            {
                throw new FormatException($"{PrintableText.Escape(key)}: {wrong.Message}", wrong);
            }
        }

        return options with
        {
            Endpoints = [.. endpoints.Values],
            Doors = [.. doors.Select(static door => Make(door.Key, door.Value))],
            SocketOptions = [.. socketOptions.Values],
        };
    }

    private static DoorSettings DoorAt(SortedDictionary<int, DoorSettings> doors, int index, IReadOnlyList<Service> services)
    {
        if (!doors.TryGetValue(index, out DoorSettings? door))
        {
            doors.Add(index, door = new DoorSettings(services));
        }

        return door;
    }

    private static DoorOptions Make(int index, DoorSettings door)
    {
        try
        {
            return door.Make();
        }
        catch (FormatException wrong)
        {
            throw new FormatException($"Doors:{index}: {wrong.Message}", wrong);
        }
    }

    private static ServerOptions Apply(ServerOptions options, string key, string value) => key.ToUpperInvariant() switch
    {
        "MODEL" => options with { Model = ServerModel.Parse(value) },
        "ENGINE" => options with { Engine = EngineKindConverter.Parse(value) },
        "MAXCONNECTIONS" => options with { MaxConnections = LimitSettings.Number(value, 1) },
        "MAXCONNECTIONSPERADDRESS" => options with { MaxConnectionsPerAddress = LimitSettings.Number(value, 1) },
        "MAXOUTGOINGCONNECTIONS" => options with { MaxOutgoingConnections = LimitSettings.Number(value, 1) },
        "MAXBUFFEREDBYTES" => options with { MaxBufferedBytes = LimitSettings.Number(value) },
        "ATLIMIT" => options with { AtLimit = Limit(value) },
        "REFUSALLINE" => options with { RefusalLine = value },
        "LISTENBACKLOG" => options with { ListenBacklog = LimitSettings.Number(value, 0) },
        "REUSEPORT" => options with { ReusePort = Flag(value) },
        "TAKEOVERPATH" => options with { TakeoverPath = value },
        "TAKEOVERCHANGES" => options with { TakeoverChanges = Flag(value) },
        _ => throw Unknown(key),
    };

    private static FormatException Unknown(string key) => new(
        "there is no such setting of a server; there are Endpoints, Service, Doors, Model, Engine, MaxConnections, "
        + "MaxConnectionsPerAddress, MaxOutgoingConnections, MaxBufferedBytes, StreamLimits, AtLimit, RefusalLine, ListenBacklog, "
        + "ReusePort, TakeoverPath, TakeoverChanges and SocketOptions" + (key.Contains(':') ? $"; {Lists}" : ""));

    private static int Index(string[] parts) =>
        parts.Length == 2 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int index)
            ? index
            : throw new FormatException(Lists);

    private static bool Flag(string value) => bool.TryParse(value, out bool flag)
        ? flag
        : throw new FormatException($"\"{PrintableText.Escape(value)}\" is neither true nor false");

    private static AtLimit Limit(string value) => Enum.TryParse(value, ignoreCase: true, out AtLimit limit) && Enum.IsDefined(limit)
        ? limit
        : throw new FormatException($"\"{PrintableText.Escape(value)}\" is none of {string.Join(", ", Enum.GetNames<AtLimit>())}");
}
