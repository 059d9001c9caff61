using System.CommandLine;
using System.CommandLine.Parsing;

namespace Doorbell.Cli.Arguments;

/// <summary>
/// What <c>serve --config FILE</c> reads: a JSON object of <see cref="ServerOptions"/>' shape, and in it a list of
/// <see cref="DoorOptions"/>' shape. A service is its name, an endpoint and a server model are their texts.
/// </summary>
internal sealed class ServeConfiguration
{
    private static readonly ConfigurationKeys<ServerOptions> _serverKeys = new(
        new Dictionary<string, ConfigurationKeys<ServerOptions>.Setting>
        {
            ["Doors"] = new(static (options, _) => options),
            ["Service"] = new(static (options, _) => options),
            ["Endpoints"] = new(static (options, _) => options),
            ["Model"] = new(static (options, value) => options with { Model = value.Parsed(ServerModel.Parse) }, "--model", "--workers"),
            ["Engine"] = new(static (options, value) => options with { Engine = value.Parsed(ListeningArguments.EngineNamed) }, "--engine"),
            ["MaxConnections"] = new(static (options, value) => options with { MaxConnections = value.Count(1) }, "--max-connections"),
            ["MaxConnectionsPerAddress"] = new(
                static (options, value) => options with { MaxConnectionsPerAddress = value.Count(1) }, "--max-per-address"),
            ["MaxBufferedBytes"] = new(static (options, value) => options with { MaxBufferedBytes = value.Memory() }, "--max-buffered"),
            ["StreamLimits"] = new(static (options, _) => options),
            ["AtLimit"] = new(static (options, value) => options with { AtLimit = value.Choice<AtLimit>() }, "--at-limit", "--refuse"),
            ["RefusalLine"] = new(static (options, value) => options with { RefusalLine = value.Text() }, "--refuse"),
            ["ListenBacklog"] = new(static (options, value) => options with { ListenBacklog = value.Count(0) }, "--backlog"),
            ["SocketOptions"] = new(static (options, value) => options with { SocketOptions = value.SocketOptions() }, "--option"),
            ["ReusePort"] = new(static (options, value) => options with { ReusePort = value.Flag() }, "--reuse-port"),
            ["TakeoverPath"] = new(static (options, value) => options with { TakeoverPath = value.Text() }, "--takeover"),
            ["TakeoverChanges"] = new(static (options, value) => options with { TakeoverChanges = value.Flag() }, "--takeover-changes"),
        });

    private static readonly HashSet<string> _nothing = [];

    private static readonly ConfigurationKeys<AccessList> _accessKeys = new(
        new Dictionary<string, ConfigurationKeys<AccessList>.Setting>
        {
            ["Allow"] = new(static (access, value) => access with { Allow = Ranges(value) }),
            ["Deny"] = new(static (access, value) => access with { Deny = Ranges(value) }),
        });

    private static readonly ConfigurationKeys<SocketFileOptions> _fileKeys = new(
        new Dictionary<string, ConfigurationKeys<SocketFileOptions>.Setting>
        {
            ["Mode"] = new(static (file, value) => file with { Mode = value.Parsed(SocketFileOptions.ParseMode) }),
            ["Owner"] = new(static (file, value) => file with { Owner = value.Text() }),
            ["Group"] = new(static (file, value) => file with { Group = value.Text() }),
        });

    private static readonly ConfigurationKeys<DoorSettings> _doorKeys = new(
        new Dictionary<string, ConfigurationKeys<DoorSettings>.Setting>
        {
            ["Endpoint"] = new(static (door, value) => door with { Endpoint = value.Parsed(ParseEndpoint) }),
            ["Service"] = new(static (door, value) => door with { Service = value.Parsed(NamedServices.Parse) }),
            ["Limits"] = new(static (door, value) => door with { Limits = value }),
            ["SocketFile"] = new(static (door, value) => door with
            {
                SocketFile = _fileKeys.Apply(SocketFileOptions.Default, value.Members(), _nothing),
            }),
            ["Access"] = new(static (door, value) => door with { Access = _accessKeys.Apply(new AccessList(), value.Members(), _nothing) }),
        });

    private readonly IReadOnlyList<ConfigurationValue> _members;
    private readonly HashSet<string> _given;

    private ServeConfiguration(ConfigurationValue root, HashSet<string> given)
    {
        _members = root.Members();
        _given = given;

        // What is wrong is to be told before the rest of the command line is looked at.
        _ = Apply(new ServerOptions());
        Served = [.. OfServer(), .. OfDoors()];
    }

    /// <summary>The option <c>--config FILE</c>.</summary>
    public static Option<string?> Option() => new("--config")
    {
        Description = "Read what is served, where and how from a JSON file, as in "
            + "{ \"Doors\": [ { \"Endpoint\": \"tcp://localhost:7\", \"Service\": \"echo\" } ] }",
        HelpName = "FILE",
    };

    /// <summary>What is served and where; empty if the file does not say.</summary>
    public IReadOnlyList<Served> Served { get; }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="parsed">The command line, which must not say the same.</param>
    /// <param name="hasProgram">Whether <c>--exec</c> was taken away from it.</param>
    /// <exception cref="FormatException">Something in the file is wrong; the message names its key and line.</exception>
    public static ServeConfiguration Read(string path, ParseResult parsed, bool hasProgram)
    {
        IEnumerable<string> options = parsed.CommandResult.Children.OfType<OptionResult>()
            .Where(static option => !option.Implicit).Select(static option => option.Option.Name);
        bool namesWords = parsed.CommandResult.Children.OfType<ArgumentResult>().Any(static argument => argument.Tokens.Count > 0);
        HashSet<string> given = [.. options];
        if (namesWords)
        {
            given.Add(ServedArguments.Words);
        }

        if (hasProgram)
        {
            given.Add(ProgramArguments.ExecOption);
        }

        return new ServeConfiguration(ConfigurationValue.Read(path), given);
    }

    /// <summary>The options with what the file says; what it does not say stays.</summary>
    public ServerOptions Apply(ServerOptions options)
    {
        options = _serverKeys.Apply(options, _members, _given);
        return Find("StreamLimits") is { } limits
            ? options with
            {
                StreamLimits = Checked(
                    limits,
                    LimitKeys.OfConnections.Apply(options.StreamLimits ?? new StreamLimitOverrides(), limits.Members(), _given),
                    static of => of.ApplyTo(StreamLimits.Default).Validate()),
            }
            : options;
    }

    private static AddressRange[] Ranges(ConfigurationValue list) =>
        [.. list.Items().Select(static item => item.Parsed(AddressRange.Parse))];

    private static Endpoint ParseEndpoint(string text) => CoapEndpoint.Parse(text);

    private ConfigurationValue? Find(string name) => _members.FirstOrDefault(member => member.Name == name);

    /// <summary>What the command line serves stands in the file no more.</summary>
    private void RequireNoWords(ConfigurationValue value)
    {
        if (ServedArguments.NamesOfWhatIsServed.FirstOrDefault(_given.Contains) is { } given)
        {
            throw value.Wrong($"{given} on the command line says what is served too: leave out one of them");
        }
    }

    /// <summary>The <see cref="ServerOptions.Service"/> and its endpoints.</summary>
    private IEnumerable<Served> OfServer()
    {
        ConfigurationValue? endpoints = Find("Endpoints");
        ConfigurationValue? service = Find("Service");
        if ((service ?? endpoints) is not { } first)
        {
            yield break;
        }

        RequireNoWords(first);
        if (service is null)
        {
            throw endpoints!.Wrong("they have no service: give Service too, as in \"echo\"");
        }

        if (endpoints is null && Find("Doors") is not null)
        {
            throw service.Wrong("it has no endpoints: give Endpoints too, or a Service for each of the Doors");
        }

        Service what = service.Parsed(NamedServices.Parse);
        yield return Arguments.Served.Named(what, [.. (endpoints?.Items() ?? []).Select(static item => item.Parsed(ParseEndpoint))]);
    }

    private IEnumerable<Served> OfDoors()
    {
        if (Find("Doors") is not { } doors)
        {
            yield break;
        }

        RequireNoWords(doors);
        foreach (ConfigurationValue door in doors.Items())
        {
            DoorSettings settings = _doorKeys.Apply(new DoorSettings(), door.Members(), _given);
            Endpoint endpoint = settings.Endpoint ?? throw door.Wrong("it has no Endpoint: give one, as in \"tcp://localhost:7\"");
            Service service = settings.Service ?? throw door.Wrong("it has no Service: give one, as in \"echo\"");
            Served served = Arguments.Served.Named(service, [endpoint]) with
            {
                Access = settings.Access, SocketFile = settings.SocketFile,
            };
            yield return Limited(served, endpoint, settings.Limits);
        }
    }

    private Served Limited(Served served, Endpoint endpoint, ConfigurationValue? limits)
    {
        if (limits is null)
        {
            return served;
        }

        // A value that makes no sense is to be told with its key, not when the server starts.
        Served limited = endpoint switch
        {
            _ when CoapEndpoint.Is(endpoint) => served with
            {
                CoapLimits = from => Checked(
                    limits, LimitKeys.OfCoap.Apply(from, limits.Members(), _given), static of => of.Validate()),
            },
            { IsStream: true } => served with
            {
                Limits = Checked(
                    limits,
                    LimitKeys.OfStreams.Apply(DoorLimits.None, limits.Members(), _given),
                    of => of.ApplyTo(served.Service.StreamLimits).Validate()),
            },
            _ => served with
            {
                Limits = Checked(
                    limits,
                    LimitKeys.OfDatagrams.Apply(DoorLimits.None, limits.Members(), _given),
                    of => of.ApplyTo(served.Service.DatagramLimits).Validate()),
            },
        };
        return limited;
    }

    private static T Checked<T>(ConfigurationValue limits, T made, Action<T> validate)
    {
        try
        {
            validate(made);
            return made;
        }
        catch (ArgumentOutOfRangeException wrong)
        {
            ConfigurationValue where = limits.Members().FirstOrDefault(member => member.Name == wrong.ParamName) ?? limits;
            throw where.Wrong(wrong.Message.Split(" (Parameter")[0]);
        }
    }

    /// <summary>One of the <c>Doors</c>, as far as it has been read.</summary>
    private sealed record DoorSettings
    {
        public Endpoint? Endpoint { get; init; }

        public Service? Service { get; init; }

        public ConfigurationValue? Limits { get; init; }

        public AccessList Access { get; init; } = AccessList.Everyone;

        public SocketFileOptions SocketFile { get; init; } = SocketFileOptions.Default;
    }
}
