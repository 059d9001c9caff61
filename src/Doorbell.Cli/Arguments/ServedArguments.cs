using System.CommandLine;

namespace Doorbell.Cli.Arguments;

/// <summary>What <c>serve</c> serves and where: a service or a program, and endpoints.</summary>
internal sealed class ServedArguments
{
    /// <summary>How an error calls the arguments SERVICE and ENDPOINT.</summary>
    public const string Words = "SERVICE or ENDPOINT";

    private static readonly string[] _defaultEndpoints = ["tcp://localhost:6789", "udp://localhost:9876"];

    private readonly Argument<string?> _service = new("SERVICE")
    {
        HelpName = "SERVICE",
        CompletionSources = { static _ => NamedServices.Names.Concat(EndpointWord.Beginnings) },
        Description = $"What to serve: {NamedServices.Words} [default: {NamedServices.Default}]; another behind a + of its own, "
            + "as in echo tcp://localhost:7 + daytime tcp://localhost:13",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Argument<string[]> _endpoints = new("ENDPOINT")
    {
        HelpName = "ENDPOINT",
        CompletionSources = { static _ => EndpointWord.Beginnings.Append("+") },
        Description = "Where: tcp://host:port, udp://host:port, coap://host:port, coap+tcp://host:port, unix:///path, unix+dgram:///path; "
            + "* as the host is every interface, "
            + "port 0 any port; fd://N or fd://NAME is a socket that was passed "
            + $"[default: the sockets of systemd's socket activation, or {string.Join(' ', _defaultEndpoints)}]",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private readonly ProgramArguments _program;
    private readonly TunnelArguments _tunnels = new();

    private readonly Option<bool> _ascii = new("--ascii") { Description = "capitalize: change a-z alone, as C's toupper does" };

    /// <summary>What of a command line says what is served.</summary>
    public static IReadOnlyList<string> NamesOfWhatIsServed { get; } =
        [Words, ProgramArguments.ExecOption, "--shell", "--ascii", "--allow-target", "--users"];

    /// <param name="program">What stood behind <c>--exec</c>; null if that was not given.</param>
    public ServedArguments(string[]? program) =>
        _program = new ProgramArguments("Serve with a process for each connection or datagram", program);

    public void AddTo(Command command)
    {
        command.Add(_service);
        command.Add(_endpoints);
        _program.AddTo(command);
        command.Add(_ascii);
        _tunnels.AddTo(command);
    }

    /// <summary>The services, each with the endpoints that were named for it; none if none was.</summary>
    /// <exception cref="ArgumentException">They don't fit together.</exception>
    public IReadOnlyList<Served> Read(ParseResult parsed)
    {
        string[] services = parsed.GetValue(_service) is { } first ? [first] : [];
        string[] words = [.. services, .. parsed.GetValue(_endpoints) ?? []];
        bool ascii = parsed.GetValue(_ascii);
        TunnelOptions tunnels = _tunnels.Read(parsed);
        List<Served> all = [];
        foreach (string[] group in Groups(words))
        {
            // At a CoAP endpoint all services are offered, each at its name, unless one was named.
            bool isAddress = group is [string host, string port, ..] && !NamedServices.Has(host)
                && EndpointWord.IsHostAndPort(host, port);
            string? name = group.Length > 0 && !isAddress && !EndpointWord.IsMeant(group[0]) ? group[0] : null;
            ServiceProgram? program = _program.Read(parsed);
            Service service = program is null
                ? NamedService(name ?? NamedServices.Default, ascii, tunnels)
                : ProgramService(program, name, ascii);
            RequireServiceFirst(group);
            IReadOnlyList<string> named = EndpointWord.Join(name is null ? group : group[1..]);
            Endpoint[] endpoints = [.. named.Select(CoapEndpoint.Parse)];
            bool isAlone = name is not null || program is not null;
            Service[] offered = isAlone ? [service] : [service, .. NamedServices.OfDatagrams];
            all.Add(new Served(service, endpoints) { Resources = Served.ResourcesOf(offered) });
        }

        if (_tunnels.AreGiven(parsed) && !all.Exists(static served => NamedServices.IsProxy(served.Service.Name)))
        {
            throw new ArgumentException("--allow-target and --users belong to the services socks and http-proxy");
        }

        if (all.Count > 1 && all.Any(static served => served.Endpoints.Count == 0))
        {
            throw new ArgumentException(
                "each service around a + has endpoints of its own, as in echo tcp://localhost:7 + daytime tcp://localhost:13");
        }

        return all;
    }

    /// <summary>A service whose endpoints nobody named gets the default ones, unless sockets were passed.</summary>
    public static IReadOnlyList<Served> WithDefaultEndpoints(IReadOnlyList<Served> all) =>
        all is [{ Endpoints.Count: 0 } alone] && !Server.HasPassedSockets
            ? [alone with { Endpoints = [.. _defaultEndpoints.Select(Endpoint.Parse)] }]
            : all;

    /// <summary>The words between the plus signs.</summary>
    private static IEnumerable<string[]> Groups(string[] words)
    {
        int start = 0;
        for (int plus; (plus = Array.IndexOf(words, "+", start)) >= 0; start = plus + 1)
        {
            yield return words[start..plus];
        }

        yield return words[start..];
    }

    private static void RequireServiceFirst(string[] group)
    {
        if (group.Skip(1).FirstOrDefault(NamedServices.Has) is { } late && !NamedServices.Has(group[0]))
        {
            throw new ArgumentException(
                $"the service stands before its endpoints, as in serve {late} {PrintableText.Escape(group[0])}; another one behind a +");
        }
    }

    private static Service NamedService(string name, bool ascii, TunnelOptions tunnels)
    {
        Service service = NamedServices.Find(name, tunnels) ?? throw new ArgumentException(
            $"\"{PrintableText.Escape(name)}\" is no service: {NearName.Advice(name, NamedServices.Names)}, "
                + "or an endpoint such as tcp://localhost:6789");
        if (ascii && service != ClassicServices.Capitalize)
        {
            throw new ArgumentException($"--ascii belongs to {NamedServices.Default}, not to {service.Name}");
        }

        return ascii ? ClassicServices.CapitalizeAscii : service;
    }

    private static Service ProgramService(ServiceProgram program, string? name, bool ascii)
    {
        if (name is not null || ascii)
        {
            string left = ascii ? "--ascii" : PrintableText.Escape(name!);
            throw new ArgumentException($"--exec and --shell are the service: leave out {left}");
        }

        bool isShell = program is { FileName: "/bin/sh", Arguments: ["-c", _] };
        return Service.Run(PrintableText.Escape(isShell ? program.Arguments[1] : Path.GetFileName(program.FileName)), program);
    }
}
