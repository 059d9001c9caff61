using System.CommandLine;

namespace Doorbell.Cli;

/// <summary>What <c>serve</c> serves and where: a service or a program, and endpoints.</summary>
internal sealed class ServedArguments
{
    private const string DefaultService = "capitalize";
    private const string ExecOption = "--exec";
    private static readonly string[] _defaultEndpoints = ["tcp://localhost:6789", "udp://localhost:9876"];

    private static readonly Dictionary<string, Service> _services = new[]
    {
        Capitalize.Unicode, Echo.Service, Discard.Service, Daytime.Service, Time.Service,
    }.ToDictionary(static service => service.Name);

    private readonly string[]? _program;

    private readonly Argument<string?> _service = new("SERVICE")
    {
        Description = $"What to serve: {string.Join(", ", _services.Keys)} [default: {DefaultService}]",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Argument<string[]> _endpoints = new("ENDPOINT")
    {
        Description = "Where: tcp://host:port, udp://host:port, coap://host:port, unix:///path, unix+dgram:///path; "
            + "* as the host is every interface, "
            + "port 0 any port; fd://N or fd://NAME is a socket that was passed "
            + $"[default: the sockets of systemd's socket activation, or {string.Join(' ', _defaultEndpoints)}]",
        Arity = ArgumentArity.ZeroOrMore,
    };

    // For --help alone: what stands behind it is taken away before the rest is parsed.
    private readonly Option<string?> _exec = new(ExecOption)
    {
        Description = "Serve with a process for each connection or datagram: this program, with all the arguments behind it",
        HelpName = "PROGRAM [ARGUMENT…]",
    };

    private readonly Option<string?> _shell = new("--shell")
    {
        Description = "Serve with a process for each connection or datagram: this command line, run by /bin/sh",
        HelpName = "COMMAND",
    };

    private readonly Option<bool> _ascii = new("--ascii") { Description = "capitalize: change a-z alone, as C's toupper does" };

    /// <param name="program">What stood behind <c>--exec</c>; null if that was not given.</param>
    public ServedArguments(string[]? program) => _program = program;

    /// <summary>Takes <c>--exec</c> and all behind it away from the arguments: they are a program's own, whatever they look like.</summary>
    public static string[]? TakeProgram(ref string[] arguments)
    {
        int exec = arguments is ["serve", ..] ? Array.IndexOf(arguments, ExecOption) : -1;
        if (exec < 0)
        {
            return null;
        }

        string[] program = arguments[(exec + 1)..];
        arguments = arguments[..exec];
        return program;
    }

    public void AddTo(Command command)
    {
        command.Add(_service);
        command.Add(_endpoints);
        command.Add(_exec);
        command.Add(_shell);
        command.Add(_ascii);
    }

    /// <summary>The service, and the endpoints that were named; none if none was.</summary>
    /// <exception cref="ArgumentException">They don't fit together.</exception>
    public (Service What, IReadOnlyList<Endpoint> Where) Read(ParseResult parsed)
    {
        string? name = parsed.GetValue(_service);
        string[] endpoints = parsed.GetValue(_endpoints) ?? [];
        if (name is not null && Arguments.LooksLikeEndpoint(name))
        {
            endpoints = [name, .. endpoints];
            name = null;
        }

        Service service = Program(parsed.GetValue(_shell)) is { } program
            ? ProgramService(program, name, parsed.GetValue(_ascii))
            : NamedService(name ?? DefaultService, parsed.GetValue(_ascii));
        if (name is null && service.Program is null)
        {
            service = WithAllResources(service);
        }

        if (endpoints.Length == 0 && !Server.HasPassedSockets)
        {
            endpoints = _defaultEndpoints;
        }

        return (service, [.. endpoints.Select(Endpoint.Parse)]);
    }

    private static Service NamedService(string name, bool ascii)
    {
        if (!_services.TryGetValue(name, out Service? service))
        {
            throw new ArgumentException(
                $"\"{PeerText.Escape(name)}\" is no service: give one of {string.Join(", ", _services.Keys)}, "
                    + "or an endpoint such as tcp://localhost:6789");
        }

        if (ascii && service != Capitalize.Unicode)
        {
            throw new ArgumentException($"--ascii belongs to {DefaultService}, not to {service.Name}");
        }

        return ascii ? Capitalize.Ascii : service;
    }

    /// <summary>At a coap endpoint all services are offered, each at its name, unless one was named.</summary>
    private static Service WithAllResources(Service service)
    {
        Dictionary<string, CoapResource> all = new(service.CoapResources);
        foreach ((string path, CoapResource resource) in _services.Values.SelectMany(static each => each.CoapResources))
        {
            all.TryAdd(path, resource);
        }

        return service with { CoapResources = all };
    }

    private static Service ProgramService(ServiceProgram program, string? name, bool ascii)
    {
        if (name is not null || ascii)
        {
            throw new ArgumentException($"--exec and --shell are the service: leave out {(ascii ? "--ascii" : PeerText.Escape(name!))}");
        }

        bool isShell = program is { FileName: "/bin/sh", Arguments: ["-c", _] };
        return Service.Run(PeerText.Escape(isShell ? program.Arguments[1] : Path.GetFileName(program.FileName)), program);
    }

    private ServiceProgram? Program(string? shell) => (_program, shell) switch
    {
        (null, null) => null,
        (null, { Length: > 0 }) => ServiceProgram.Shell(shell),
        ([{ Length: > 0 }, ..], null) => new ServiceProgram(_program[0], _program[1..]),
        (not null, not null) => throw new ArgumentException("--exec and --shell exclude each other"),
        _ => throw new ArgumentException("--exec takes a program and its arguments, --shell a command line"),
    };
}
