using System.Reflection;

namespace Doorbell.Tests;

/// <summary>
/// Every limit at every transport, for a handler and for a program: it can act there, or the server does not start and says why. The table
/// is the one of docs/services.md.
/// </summary>
public sealed class LimitMatrixTests
{
    private static readonly string[] _places =
        ["tcp", "unix", "udp", "unix+dgram", "tcp program", "unix program", "udp program", "unix+dgram program"];

    /// <summary>By the property's name: at which of the places it acts.</summary>
    private static readonly Dictionary<string, string[]> _acts = new()
    {
        ["MaxConnections"] = ["tcp", "unix", "tcp program", "unix program", "udp program", "unix+dgram program"],
        ["MaxConnectionsPerAddress"] = ["tcp", "tcp program"],
        ["MaxBufferedBytes"] = ["tcp", "unix"],
        ["AtLimit"] = ["tcp", "unix", "tcp program", "unix program"],
        ["RefusalLine"] = ["tcp", "unix", "tcp program", "unix program"],
        ["ListenBacklog"] = ["tcp", "unix", "tcp program", "unix program"],
        ["IdleTimeout"] = ["tcp", "unix", "tcp program", "unix program"],
        ["MaxLifetime"] = ["tcp", "unix", "tcp program", "unix program"],
        ["CloseTimeout"] = ["tcp", "unix", "tcp program", "unix program"],
        ["FirstByteTimeout"] = ["tcp", "unix", "tcp program"],
        ["OpeningTimeout"] = ["tcp", "unix"],
        ["MinDataRate"] = ["tcp", "unix"],
        ["MinDataRateGrace"] = ["tcp", "unix"],
        ["MaxMessageBytes"] = ["tcp", "unix"],
        ["OutputHighMark"] = ["tcp", "unix"],
        ["MaxPendingOutput"] = ["tcp", "unix"],
        ["MaxStepsPerRound"] = ["tcp", "unix"],
        ["MaxDatagramBytes"] = ["udp", "unix+dgram", "udp program", "unix+dgram program"],
        ["MaxAmplification"] = ["udp", "udp program"],
        ["LoopGuardAnswers"] = ["udp", "unix+dgram", "udp program", "unix+dgram program"],
        ["MaxAnswersPerTurn"] = ["udp", "unix+dgram"],
        ["MaxOpenedSockets"] = ["udp", "unix+dgram"],
    };

    public static TheoryData<string, string, string> All
    {
        get
        {
            TheoryData<string, string, string> all = [];
            foreach (string place in _places)
            {
                foreach (string limit in OfServer())
                {
                    all.Add("server", limit, place);
                }

                foreach (PropertyInfo limit in OfDoor())
                {
                    all.Add("door", limit.Name, place);
                }
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_limit_acts_where_it_is_asked_for_or_is_refused_by_its_name(string scope, string limit, string place)
    {
        Func<Task<Running>> start =
            () => StartAsync(place, options => scope == "server" ? AtServer(options, limit) : AtDoor(options, limit));
        if (_acts[limit].Contains(place))
        {
            await using Running running = await start();
        }
        else
        {
            ArgumentException refused = await Assert.ThrowsAsync<ArgumentException>(start);
            string named = limit == "OutputHighMark" && place.EndsWith("program", StringComparison.Ordinal) ? "MaxPendingOutput" : limit;
            Assert.True(
                refused.Message.Contains($"{limit} has no effect", StringComparison.Ordinal)
                    || refused.Message.Contains($"{named} has no effect", StringComparison.Ordinal),
                refused.Message);
        }
    }

    [Fact]
    public void The_table_has_every_limit()
    {
        Assert.Empty(OfServer().Concat(OfDoor().Select(static property => property.Name)).Except(_acts.Keys));
    }

    [Fact]
    public void The_page_has_the_same_table()
    {
        string[] page = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "../../../../docs/services.md"));
        foreach ((string limit, string[] acts) in _acts)
        {
            string cells = string.Join(" | ", _places.Select(place => acts.Contains(place) ? "yes" : "–"));
            Assert.Contains($"| `{limit}` | {cells} |", page);
        }
    }

    /// <summary>The server's own limits, and those that it has for all its connections.</summary>
    private static IEnumerable<string> OfServer() =>
    [
        "MaxConnections", "MaxConnectionsPerAddress", "MaxBufferedBytes", "AtLimit", "RefusalLine", "ListenBacklog",
        .. typeof(StreamLimitOverrides).GetProperties().Select(static property => property.Name),
    ];

    private static PropertyInfo[] OfDoor() =>
        typeof(DoorLimits).GetProperties(BindingFlags.Public | BindingFlags.Instance);

    private static ServerOptions AtServer(ServerOptions options, string limit) => limit switch
    {
        "MaxConnections" => options with { MaxConnections = 7 },
        "MaxConnectionsPerAddress" => options with { MaxConnectionsPerAddress = 7 },
        "MaxBufferedBytes" => options with { MaxBufferedBytes = 1_000_000 },
        "AtLimit" => options with { AtLimit = AtLimit.Close },
        "RefusalLine" => options with { RefusalLine = "full" },
        "ListenBacklog" => options with { ListenBacklog = 7 },
        _ => options with { StreamLimits = With(new StreamLimitOverrides(), typeof(StreamLimitOverrides).GetProperty(limit)!) },
    };

    private static ServerOptions AtDoor(ServerOptions options, string limit) => options with
    {
        Service = null,
        Endpoints = [],
        Doors =
        [
            new DoorOptions
            {
                Endpoint = options.Endpoints[0],
                Service = options.Service!,
                Limits = With(new DoorLimits(), typeof(DoorLimits).GetProperty(limit)!),
            },
        ],
    };

    private static T With<T>(T limits, PropertyInfo limit)
    {
        limit.SetValue(limits, limit.PropertyType == typeof(TimeSpan?) ? TimeSpan.FromSeconds(77) : 7_000);
        return limits;
    }

    private static Task<Running> StartAsync(string place, Func<ServerOptions, ServerOptions> change)
    {
        bool isProgram = place.EndsWith("program", StringComparison.Ordinal);
        Service service = isProgram ? Service.Run("cat", new ServiceProgram("cat", [])) : ClassicServices.Echo;
        return Running.StartAsync(service, place.Split(' ')[0], change: change);
    }
}
