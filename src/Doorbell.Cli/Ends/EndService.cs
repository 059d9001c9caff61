namespace Doorbell.Cli.Ends;

/// <summary>Relays to any kind of end, as services.</summary>
internal static class EndService
{
    /// <summary>Each connection is joined to an end of its own.</summary>
    /// <param name="ends">Where to.</param>
    /// <param name="ended">Called when a connection has ended; null for nobody.</param>
    public static Service OfConnections(RelayedEnds ends, Action? ended) => Service.Stream("relay", async connection =>
    {
        await ends.RelayAsync(new ConnectionEnd(connection), idle: null, connection.Closed);
        ended?.Invoke();
    }) with { NeedsOneProcess = true };

    /// <summary>Each peer that sends datagrams is joined to an end of its own.</summary>
    /// <param name="ends">Where to.</param>
    /// <param name="framing">Where a datagram ends there.</param>
    /// <param name="idle">How long nothing may move.</param>
    public static Service OfPeers(RelayedEnds ends, Framing framing, TimeSpan idle) => new("relay")
    {
        NewDatagramHandler = _ => new RelayedPeers(ends, framing, idle),
        NeedsOneProcess = true,
    };
}
