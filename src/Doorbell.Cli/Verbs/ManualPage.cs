using System.CommandLine;
using System.Globalization;
using System.Reflection;
using Doorbell.Cli.Printing;

namespace Doorbell.Cli.Verbs;

/// <summary>The manual page, doorbell(1), made of what the parser knows and of the verbs' examples.</summary>
internal static class ManualPage
{
    private static readonly (string Form, string Meaning)[] _endpoints =
    [
        ("tcp://host:port", "A TCP port. 6789, :6789 and host:6789 mean the same over TCP."),
        ("udp://host:port", "A UDP port."),
        ("unix:///path, unix:path", "A unix socket that carries a stream."),
        ("unix+dgram:///path", "A unix socket that carries datagrams."),
        ("coap://host[:port]", "A CoAP server over UDP, by default at port 5683."),
        ("coap+tcp://host[:port]", "A CoAP server over TCP, by default at port 5683."),
        ("fd://N, fd://NAME", "A socket that was passed to the process (sd_listen_fds(3)), for serve."),
    ];

    private static readonly (string Code, string Meaning)[] _exitCodes =
    [
        ("0", "All is done."),
        ("1", "The network or a peer failed. One line on standard error says what was tried, where, and what to do."),
        ("2", "The command line is wrong. One line on standard error says which word, and what it could be."),
    ];

    /// <summary>The page in roff, with man(7)'s macros.</summary>
    /// <param name="doorbell">The command with all its verbs.</param>
    public static string Of(Command doorbell)
    {
        string date = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        RoffText page = new RoffText()
            .Macro("TH", "DOORBELL", "1", date, $"Doorbell {Version}", "User Commands")
            .Macro("SH", "NAME");
        page.Prose("doorbell - serve, ask and join TCP, UDP and unix sockets");
        page.Macro("SH", "SYNOPSIS").Macro("nf");
        foreach (Command verb in Shown(doorbell))
        {
            page.Called($"doorbell {verb.Name}", Words(verb));
        }

        page.Macro("fi").Macro("SH", "DESCRIPTION")
            .Prose("A word that begins with a hyphen is an option. Behind -- it is a text. A time is a number of seconds, or has a unit: "
                + "200ms, 5s, 2m, 1h, 1d. A number of bytes may have the unit k, m or g, powers of 1,024.");
        page.Macro("SH", "VERBS");
        foreach (Command verb in Shown(doorbell))
        {
            AddVerb(page, verb, $"doorbell {verb.Name}");
        }

        page.Macro("SH", "ENDPOINTS").Prose("An IPv6 address stands in brackets, as in tcp://[::1]:6789. The host * is every interface, "
            + "localhost both loopback addresses, and port 0 any free port. Nothing but this machine reaches a server unless you name "
            + "another address.");
        Array.ForEach(_endpoints, endpoint => page.Entry(endpoint.Form, "", endpoint.Meaning));
        page.Macro("SH", "EXIT STATUS");
        Array.ForEach(_exitCodes, code => page.Entry(code.Code, "", code.Meaning));
        page.Macro("SH", "ENVIRONMENT")
            .Entry("NO_COLOR", "", "If it is set and not empty, nothing is coloured. Without a terminal nothing is either.")
            .Macro("SH", "SEE ALSO")
            .Prose("nc(1), ncat(1), socat(1), ss(8), socket(7), tcp(7), udp(7), unix(7), systemd.socket(5)");
        return page.ToString();
    }

    /// <summary>Without the commit that stands behind a plus sign.</summary>
    private static string Version => typeof(ManualPage).Assembly
        .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    private static void AddVerb(RoffText page, Command verb, string path)
    {
        page.Macro("SS", $"{path} {Words(verb)}".TrimEnd()).Prose($"{verb.Description}.");
        foreach (Argument argument in verb.Arguments)
        {
            page.Entry("", argument.HelpName ?? argument.Name, Meaning(argument.Description, null));
        }

        foreach (Option option in verb.Options.Where(static option => !option.Hidden && option is not System.CommandLine.Help.HelpOption))
        {
            bool isFlag = option.ValueType == typeof(bool);
            string names = string.Join(", ", option.Aliases.Append(option.Name));
            object? value = !isFlag && option.HasDefaultValue ? option.GetDefaultValue() : null;
            page.Entry(names, isFlag ? "" : option.HelpName ?? "VALUE", Meaning(option.Description, value));
        }

        foreach (Command within in Shown(verb))
        {
            AddVerb(page, within, $"{path} {within.Name}");
        }

        foreach (Example example in (verb as Verb)?.Examples ?? [])
        {
            page.Macro("PP").Prose($"{example.Meaning}:").Typed(example.Line);
        }
    }

    private static IEnumerable<Command> Shown(Command command) => command.Subcommands.Where(static verb => !verb.Hidden);

    private static string Meaning(string? description, object? defaultValue) =>
        $"{description}{(defaultValue is null ? "" : $" [default: {defaultValue}]")}.";

    /// <summary>What stands behind a verb: an argument that need not be given in brackets, one of several with an ellipsis.</summary>
    private static string Words(Command verb)
    {
        IEnumerable<string> arguments = verb.Arguments.Select(static argument =>
        {
            string name = (argument.HelpName ?? argument.Name) + (argument.Arity.MaximumNumberOfValues > 1 ? "..." : "");
            return argument.Arity.MinimumNumberOfValues == 0 ? $"[{name}]" : name;
        });
        return string.Join(' ', [.. Shown(verb).Any() ? ["VERB"] : Array.Empty<string>(), .. arguments]);
    }
}
