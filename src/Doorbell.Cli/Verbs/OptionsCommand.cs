using System.CommandLine;
using System.Net.Sockets;
using Doorbell.Cli.Printing;
using Doorbell.SocketOptions;

namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell options [ENDPOINT]</c>: every socket option that this kernel knows for a kind of socket.</summary>
internal static class OptionsCommand
{
    private static readonly string[] _defaultEndpoints = ["tcp://*:0", "udp://*:0", "unix:///run/door"];

    public static Command Make()
    {
        Argument<string?> endpoint = new("ENDPOINT")
        {
            Description = "What kind of socket, as in tcp://127.0.0.1:6789; nothing is bound or connected [default: tcp, udp and unix]",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Option<bool> json = new("--json") { Description = "Print each option as JSON, one a line" };
        Command command = new("options", "List the socket options that this system's kernel knows") { endpoint, json };
        command.SetAction(parsed =>
        {
            string[] endpoints = parsed.GetValue(endpoint) is { } one ? [one] : [.. _defaultEndpoints.Where(IsOfThisSystem)];
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
