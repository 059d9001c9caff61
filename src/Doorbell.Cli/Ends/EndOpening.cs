namespace Doorbell.Cli.Ends;

/// <summary>What the command line says about how an end is opened.</summary>
/// <param name="Timeout">How long it may take.</param>
/// <param name="Via">The proxies on the way to a TCP server.</param>
/// <param name="Framing">Where a datagram ends in a stream; null if no end carries datagrams.</param>
/// <param name="Say">Told in one line what a person needs to know of what was opened, such as the path of a terminal.</param>
internal sealed record EndOpening(TimeSpan Timeout, IReadOnlyList<TunnelProxy> Via, Framing? Framing, Action<string> Say);
