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

    public void AddTo(Command command)
    {
        command.Add(_acceptProxy);
        command.Add(_model);
        command.Add(_engine);
        command.Add(_workers);
        command.Add(_backlog);
        command.Add(_options);
        command.Add(_reusePort);
        command.Add(_takeover);
        command.Add(_takeoverChanges);
    }

    /// <exception cref="ArgumentException">They don't fit together.</exception>
    public ServerOptions Apply(ParseResult parsed, ServerOptions options)
    {
        bool streams = options.Doors.Count == 0 || options.Doors.Any(static door => door.Endpoint.IsStream);
        if (parsed.GetValue(_backlog) is not null && !streams)
        {
            throw new ArgumentException("--backlog belongs to tcp and unix listeners, and none of the endpoints is one");
        }

        return options with
        {
            Doors = AcceptProxy(parsed.GetValue(_acceptProxy) ?? [], options.Doors),
            Model = Model(parsed.GetValue(_model), parsed.GetValue(_workers)),
            Engine = EngineNamed(parsed.GetValue(_engine)!),
            ListenBacklog = parsed.GetValue(_backlog),
            SocketOptions = [.. (parsed.GetValue(_options) ?? []).Select(SocketOptionSetting.Parse)],
            ReusePort = parsed.GetValue(_reusePort),
            TakeoverPath = parsed.GetValue(_takeover),
            TakeoverChanges = parsed.GetValue(_takeoverChanges),
        };
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
