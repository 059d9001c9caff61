using System.CommandLine;
using Doorbell.SocketOptions;

namespace Doorbell.Cli.Arguments;

/// <summary>How <c>serve</c> listens: the server model, the backlog, the sockets' options, and with whom it shares them.</summary>
internal sealed class ListeningArguments
{
    private static readonly Dictionary<string, EngineKind> _engines = new(StringComparer.OrdinalIgnoreCase)
    {
        ["auto"] = EngineKind.Auto,
        ["io_uring"] = EngineKind.IoUring,
        ["epoll"] = EngineKind.Epoll,
        ["portable"] = EngineKind.Portable,
    };

    private readonly Option<string?> _model = new("--model")
    {
        Description = $"How connections are spread: {string.Join(", ", ServerModel.Names)} [default: loop; off Linux async]",
        HelpName = "NAME",
        CompletionSources = { static _ => ServerModel.Names },
    };

    private readonly Option<string> _engine = new("--engine")
    {
        Description = $"By which of the kernel's calls: {string.Join(", ", _engines.Keys)}",
        HelpName = "NAME",
        CompletionSources = { static _ => _engines.Keys },
        DefaultValueFactory = static _ => "auto",
    };

    private readonly Option<int?> _workers = CommonOptions.Number(
        "--workers",
        $"How many processes of prefork [default: {ServerModel.DefaultProcesses}], threads of pool "
            + $"[default: {ServerModel.DefaultThreads}], loops of loop [default: one a processor]",
        1,
        int.MaxValue);

    private readonly Option<int?> _backlog = CommonOptions.Backlog();
    private readonly Option<string[]> _options = CommonOptions.SocketOptions();

    private readonly Option<string?> _interface = new("--interface")
    {
        Description = "Listen on this interface alone, as in eth0; a multicast group is joined there [default: all; the routes choose]",
        HelpName = "NAME",
    };

    private readonly Option<string?> _socketMode = new("--socket-mode")
    {
        Description = "unix: the mode of each socket's file, as chmod takes it: 0660 lets its group connect too "
            + "[default: what the umask leaves]",
        HelpName = "MODE",
    };

    private readonly Option<string?> _socketOwner = new("--socket-owner")
    {
        Description = "unix: whose each socket's file is, which only root may say", HelpName = "USER",
    };

    private readonly Option<string?> _socketGroup = new("--socket-group")
    {
        Description = "unix: the group of each socket's file", HelpName = "GROUP",
    };

    private readonly Option<bool> _reusePort = new("--reuse-port")
    {
        Description = "Let other servers of the same user share the port (SO_REUSEPORT), as for a restart",
    };

    private readonly Option<string?> _takeover = new("--takeover")
    {
        Description = "Take the listening sockets over from the server that serves this unix socket, and serve it for the next one",
        HelpName = "PATH",
    };

    private readonly Option<string[]> _acceptProxy = new("--accept-proxy")
    {
        Description = "Expect a PROXY header before each connection, from these addresses, and refuse all others; repeatable",
        HelpName = "ADDRESS[/BITS]",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<bool> _takeoverChanges = new("--takeover-changes")
    {
        Description = "With --takeover: endpoints of the old server that this one does not serve end with the old one",
    };

    /// <summary>The options, for a verb that does not take them in some cases.</summary>
    public IReadOnlyList<Option> Options =>
    [
        _acceptProxy, _model, _engine, _workers, _backlog, _options, _interface, _socketMode, _socketOwner, _socketGroup, _reusePort,
        _takeover, _takeoverChanges,
    ];

    public void AddTo(Command command)
    {
        foreach (Option option in Options)
        {
            command.Add(option);
        }
    }

    /// <exception cref="ArgumentException">They don't fit together.</exception>
    public ServerOptions Apply(ParseResult parsed, ServerOptions options)
    {
        bool streams = options.Doors.Count == 0 || options.Doors.Any(static door => door.Endpoint.IsStream);
        if (parsed.GetValue(_backlog) is not null && !streams)
        {
            throw new ArgumentException("--backlog belongs to tcp and unix listeners, and none of the endpoints is one");
        }

        options = OnInterface(parsed.GetValue(_interface), options);
        return options with
        {
            Doors = WithFiles(parsed, AcceptProxy(parsed.GetValue(_acceptProxy) ?? [], options.Doors)),
            Model = Model(parsed.GetValue(_model), parsed.GetValue(_workers)),
            Engine = EngineNamed(parsed.GetValue(_engine)!),
            ListenBacklog = parsed.GetValue(_backlog),
            SocketOptions = [.. options.SocketOptions, .. (parsed.GetValue(_options) ?? []).Select(SocketOptionSetting.Parse)],
            ReusePort = parsed.GetValue(_reusePort),
            TakeoverPath = parsed.GetValue(_takeover),
            TakeoverChanges = parsed.GetValue(_takeoverChanges),
        };
    }

    /// <summary>A group is joined on the interface, and then hears nothing of another; any other socket is bound to it.</summary>
    private static ServerOptions OnInterface(string? name, ServerOptions options)
    {
        if (name is null)
        {
            return options;
        }

        DoorOptions[] doors = [.. options.Doors.Select(door => door with { Endpoint = InterfaceWord.On(door.Endpoint, name) })];
        return doors.Length > 0 && doors.All(static door => door.Endpoint.IsGroup)
            ? options with { Doors = doors }
            : options with { Doors = doors, SocketOptions = [.. options.SocketOptions, InterfaceWord.Binding(name)] };
    }

    /// <summary>The doors for streams expect a PROXY header. What else is served, such as datagrams, has none.</summary>
    private static DoorOptions[] AcceptProxy(string[] trusted, IReadOnlyList<DoorOptions> doors)
    {
        if (trusted.Length == 0)
        {
            return [.. doors];
        }

        AddressRange[] ranges = [.. trusted.Select(Trusted)];
        return doors.Any(static door => door.Endpoint.IsStream || door.Endpoint.IsPassed)
            ? [.. doors.Select(door => door.Endpoint.IsStream || door.Endpoint.IsPassed
                ? door with { Layers = [ProxyProtocol.Accept(ranges), .. door.Layers] }
                : door)]
            : throw new ArgumentException(
                "--accept-proxy belongs to tcp and unix listeners, and none of the endpoints is one: "
                    + "name one; a socket that was passed is fd://3");
    }

    /// <summary>The doors at unix sockets with what is asked of their files.</summary>
    private DoorOptions[] WithFiles(ParseResult parsed, DoorOptions[] doors)
    {
        SocketFileOptions file = new()
        {
            Mode = parsed.GetValue(_socketMode) is { } mode ? Mode(mode) : null,
            Owner = parsed.GetValue(_socketOwner),
            Group = parsed.GetValue(_socketGroup),
        };
        if (file == SocketFileOptions.Default)
        {
            return doors;
        }

        return doors.Any(HasFile)
            ? [.. doors.Select(door => HasFile(door) ? door with { SocketFile = file } : door)]
            : throw new ArgumentException(
                "--socket-mode, --socket-owner and --socket-group are for the file of a unix socket, and none of the endpoints has one: "
                    + "name one, as in unix:///run/door");
    }

    private static bool HasFile(DoorOptions door) => door.Endpoint.Path is { } path && path[0] != '\0';

    private static UnixFileMode Mode(string text)
    {
        try
        {
            return SocketFileOptions.ParseMode(text);
        }
        catch (FormatException wrong)
        {
            throw new ArgumentException($"--socket-mode: {wrong.Message}", wrong);
        }
    }

    private static AddressRange Trusted(string range)
    {
        try
        {
            return AddressRange.Parse(range);
        }
        catch (FormatException wrong)
        {
            throw new ArgumentException($"--accept-proxy: {wrong.Message}", wrong);
        }
    }

    /// <summary>The engine of a name, as in <c>io_uring</c>, or <c>IoUring</c> as the library has it.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static EngineKind EngineNamed(string name) => _engines.TryGetValue(name, out EngineKind kind)
        || (Enum.TryParse(name, ignoreCase: true, out kind) && Enum.IsDefined(kind) && !char.IsAsciiDigit(name[0]))
        ? kind
        : throw new ArgumentException($"\"{PrintableText.Escape(name)}\" is no engine: {NearName.Advice(name, _engines.Keys)}");

    private static ServerModel? Model(string? name, int? workers) => (name, workers) switch
    {
        (null, null) => null,
        (_, < 1) => throw new ArgumentException($"--workers takes a number from 1 on, not {workers}"),
        (null, _) => throw new ArgumentException("--workers goes with --model prefork, pool or loop"),
        _ => ServerModel.Named(name, workers),
    };
}
