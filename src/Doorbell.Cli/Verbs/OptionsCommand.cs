using System.CommandLine;
using System.Net.Sockets;
using Doorbell.Cli.Printing;
using Doorbell.SocketOptions;

namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell options [ENDPOINT]</c>: every socket option that this kernel knows for a kind of socket.</summary>
internal static class OptionsCommand
{
    /// <summary>What the short word of a kind of socket means. Without a word the first three are listed.</summary>
    private static readonly Dictionary<string, string> _kinds = new()
    {
        ["tcp"] = "tcp://*:0",
        ["udp"] = "udp://*:0",
        ["unix"] = "unix:///run/door",
        ["unix+dgram"] = "unix+dgram:///run/door",
    };

    public static Verb Make()
    {
        Argument<string?> endpoint = new("ENDPOINT")
        {
            HelpName = "ENDPOINT",
            CompletionSources = { static _ => _kinds.Keys },
            Description = "What kind of socket: tcp, udp, unix, unix+dgram, or as in tcp://127.0.0.1:6789; nothing is bound or connected "
                + "[default: tcp, udp and unix]",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<bool> json = new("--json") { Description = "Print each option as JSON, one a line" };
        Verb command = new(
            "options",
            "List the socket options that this system's kernel knows",
            [
                new("doorbell options tcp", "Lists those of TCP sockets, with their values and meanings"),
                new("doorbell options --json udp", "Prints JSON, one option a line"),
            ])
        {
            endpoint, json,
        };
        command.SetAction(parsed =>
        {
            string[] endpoints = parsed.GetValue(endpoint) is { } one
                ? [_kinds.GetValueOrDefault(one, one)]
                : [.. _kinds.Values.Take(3).Where(IsOfThisSystem)];
            StandardOutput.BecomesConsole();
            OptionsPrinter printer = new(Console.Out, Width());
            foreach (Endpoint where in endpoints.Select(Endpoint.Parse))
            {
                Print(where, printer, parsed.GetValue(json));
            }
        });
        return command;
    }

    private static bool IsOfThisSystem(string endpoint) =>
        !endpoint.StartsWith("unix", StringComparison.Ordinal) || Socket.OSSupportsUnixDomainSockets;

    private static void Print(Endpoint endpoint, OptionsPrinter printer, bool json)
    {
        using Socket socket = Open(endpoint);
        IReadOnlyList<SocketOptionReading> readings = SocketOptionCatalogue.Read(socket);
        string kind = endpoint.ToString()[..endpoint.ToString().IndexOf(':')];
        if (json)
        {
            printer.PrintJson(kind, readings);
            return;
        }

        string families = socket.AddressFamily switch
        {
            AddressFamily.InterNetwork => " over IPv4",
            AddressFamily.InterNetworkV6 => socket.DualMode ? " over IPv6 and IPv4" : " over IPv6",
            _ => "",
        };
        printer.Print(kind + families, readings);
    }

    /// <summary>A fresh socket of the endpoint's kind: of both families unless its address is of one.</summary>
    private static Socket Open(Endpoint endpoint)
    {
        SocketType type = endpoint.IsStream ? SocketType.Stream : SocketType.Dgram;
        try
        {
            if (endpoint.IsUnix)
            {
                return new Socket(AddressFamily.Unix, type, ProtocolType.Unspecified);
            }

            ProtocolType protocol = endpoint.IsStream ? ProtocolType.Tcp : ProtocolType.Udp;
            AddressFamily? family = endpoint.Address?.AddressFamily;
            bool both = family is null && Socket.OSSupportsIPv6;
            Socket socket = new(both ? AddressFamily.InterNetworkV6 : family ?? AddressFamily.InterNetwork, type, protocol);
            if (socket.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = both;
            }

            return socket;
        }
        catch (SocketException failure)
        {
            throw NetworkException.From("socket", endpoint.ToString(), failure);
        }
    }

    private static int Width()
    {
        const int WithoutTerminal = 120;
        return Terminal.Width ?? WithoutTerminal;
    }
}
