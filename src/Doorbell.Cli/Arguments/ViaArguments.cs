using System.CommandLine;

namespace Doorbell.Cli.Arguments;

/// <summary>Through which proxies a verb connects.</summary>
internal sealed class ViaArguments
{
    private readonly Option<string[]> _via = new("--via")
    {
        Description = "Streams: connect through this proxy, socks5://[USER:PASSWORD@]HOST:PORT or http://…; given again, through the "
            + "next one behind it",
        HelpName = "PROXY",
        Arity = ArgumentArity.OneOrMore,
    };

    public Option Option => _via;

    public void AddTo(Command command) => command.Add(_via);

    /// <summary>The proxies, in the order in which they were given.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="targets">Where the verb connects to.</param>
    /// <exception cref="ArgumentException">One is no proxy, or a target is none of TCP's.</exception>
    public IReadOnlyList<TunnelProxy> Read(ParseResult parsed, params IEnumerable<Endpoint> targets)
    {
        TunnelProxy[] via = [.. (parsed.GetValue(_via) ?? []).Select(static text =>
            TunnelProxy.TryParse(text, out TunnelProxy? proxy, out string? error)
                ? proxy
                : throw new ArgumentException($"--via: {error}"))];
        return via.Length > 0 && targets.FirstOrDefault(static target => target.Transport != Transport.Tcp) is { } other
            ? throw new ArgumentException($"--via: a proxy connects to tcp:// endpoints alone, and {other} is none")
            : via;
    }
}
