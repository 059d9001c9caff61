namespace Doorbell.Tests;

/// <summary>
/// The rooms of the house, from the ground up: a room is a folder below src, and names types of its own and of the rooms before it only.
/// docs/internals.md draws the same list.
/// </summary>
internal static class Rooms
{
    /// <summary>The one list. A project's rooms stand together; a project sees those that it references.</summary>
    public static IReadOnlyList<string> FromTheGroundUp { get; } =
    [
        "Doorbell.Core/Text",
        "Doorbell.Core/Values",
        "Doorbell.Core/Ledger",
        "Doorbell.Core/Access",
        "Doorbell.Core/Retries",
        "Doorbell.Core/Buffers",
        "Doorbell.Core/Layers",
        "Doorbell.Core/Layers/Tunnels",
        "Doorbell.Core/Streams",
        "Doorbell.Core/Layers/Proxy",
        "Doorbell.Core/Datagrams",
        "Doorbell.Core/Framing",
        "Doorbell.Core/Services",
        "Doorbell.Core/Services/Classic",
        "Doorbell.Core/Services/Relay",
        "Doorbell.Core/Services/Broker",
        "Doorbell.Core/Services/Tunnels",
        "Doorbell.Links",
        "Protocols/Doorbell.Coap/Codec",
        "Protocols/Doorbell.Coap/Signaling",
        "Protocols/Doorbell.Coap/Client",
        "Protocols/Doorbell.Coap/Server",
        "Protocols/Doorbell.Syslog",
        "Doorbell.Tls",
        "Doorbell.Native",
        "Doorbell.Files",
        "Doorbell/SocketOptions",
        "Doorbell/Options",
        "Doorbell/Sockets",
        "Doorbell/Serving",
        "Doorbell/Clients",
        "Doorbell/Pipes",
        "Doorbell/Lanes",
        "Doorbell/Lanes/Datagrams",
        "Doorbell/Lanes/Loops",
        "Doorbell/Lanes/Portable",
        "Doorbell/Processes/Spawning",
        "Doorbell/Processes",
        "Doorbell/Processes/Programs",
        "Doorbell/Processes/Workers",
        "Doorbell/Engines",
        "Doorbell/Server",
        "Doorbell.Testing",
        "Doorbell.Lab",
        "Doorbell.Lab/Impair/Faults",
        "Doorbell.Lab/Http",
        "Doorbell.Lab/Impair/Scenarios",
        "Doorbell.Lab/Impair/Control",
        "Doorbell.Lab/Impair/Proxies",
        "Doorbell.Lab/Impair/Datagrams",
        "Doorbell.Lab/Impair/Streams",
        "Doorbell.Lab/Impair",
        "Doorbell.Lab/Impair/Toxiproxy",
        "Doorbell.Lab/Models",
        "Doorbell.Lab/Load",
        "Doorbell.Lab/Demos/Loss",
        "Doorbell.Lab/Demos",
        "Doorbell.Cli/Input",
        "Doorbell.Cli/Arguments",
        "Doorbell.Cli/Printing",
        "Doorbell.Cli/Printing/Plots",
        "Doorbell.Cli/Printing/Demos",
        "Doorbell.Cli/Printing/Impair",
        "Doorbell.Cli/Printing/Models",
        "Doorbell.Cli/Printing/Load",
        "Doorbell.Cli/Ends",
        "Doorbell.Cli/Verbs",
        "Doorbell.Cli",
    ];

    /// <summary>The projects whose rooms have no order among them: the network in memory is one room by nature.</summary>
    public static IReadOnlyList<string> OneRoomByNature { get; } = ["Doorbell.Testing"];

    /// <summary>
    /// Types that name each other in a circle, and may: a session with its handler and the turn it gives it, a kind of message with its
    /// kinds, a value with what reads or writes it. A new circle is none of these.
    /// </summary>
    public static IReadOnlyList<IReadOnlyList<string>> CirclesAllowed { get; } =
    [
        [
            "StreamSession", "StreamHandler", "Turn", "HandlerSide", "HandlerCalls", "SessionRequests", "ConnectRequest", "LayeredTurns",
            "MakingRoom", "GivingBack",
        ],
        ["DatagramSession", "DatagramHandler", "DatagramTurn", "DatagramOpening"],
        ["Framing", "LineFraming", "DelimiterFraming", "FixedLengthFraming", "LengthPrefixFraming"],
        ["Endpoint", "EndpointParser"],
        ["ProxyHeader", "ProxyHeaderWriter"],
        ["TunnelProxy", "TunnelLayer", "SocksTunnelLayer", "HttpTunnelLayer"],
        ["ServerOptions", "ServerSettings"],
        ["SocketOptionAccess", "SocketOptionValue"],
        ["SocketOptionSetting", "SocketOptionOutcome", "SocketOptionRefusal"],
    ];

    /// <summary>The room of a folder; null if it is in none.</summary>
    public static int? Of(string folder)
    {
        string? whole = OneRoomByNature.FirstOrDefault(one => folder.StartsWith(one, StringComparison.Ordinal));
        int at = Array.IndexOf([.. FromTheGroundUp], whole ?? folder);
        return at < 0 ? null : at;
    }
}
