namespace Doorbell;

/// <summary>A reading of a <see cref="Ledger"/>.</summary>
public sealed record LedgerSnapshot
{
    /// <summary>Connections accepted.</summary>
    public required long ConnectionsOpened { get; init; }

    /// <summary>Connections that handlers asked for (<see cref="Turn.Connect"/>) and that were connected; not counted as opened.</summary>
    public required long ConnectionsConnected { get; init; }

    /// <summary>Connections ended, accepted and connected ones, by <see cref="CloseReason"/> (its value is the index).</summary>
    public required IReadOnlyList<long> ConnectionsClosed { get; init; }

    /// <summary>
    /// Connections accepted and closed, since there were too many: in all, at their door, or from one address. They are not counted as
    /// opened, unless the address is one that a layer has named: those are closed as <see cref="CloseReason.PeerRefused"/> too.
    /// </summary>
    public required long ConnectionsRefused { get; init; }

    /// <summary>
    /// Connections accepted and closed, since their door denies their address (<see cref="AccessList"/>). They are counted as opened only
    /// as those of <see cref="ConnectionsRefused"/> are.
    /// </summary>
    public required long ConnectionsDenied { get; init; }

    /// <summary>
    /// Connections that handlers asked for and that were not begun, since as many were open as may be; they are among the
    /// <see cref="ConnectFailures"/>.
    /// </summary>
    public required long OutgoingRefused { get; init; }

    /// <summary>Those of the refused and the denied that are among the closed too.</summary>
    internal long RefusedOpen { get; init; }

    /// <summary>Whole messages answered, as the handlers count them.</summary>
    public required long Requests { get; init; }

    /// <summary>Bytes received, on connections and in datagrams.</summary>
    public required long BytesReceived { get; init; }

    /// <summary>Bytes the kernel has taken, on connections and in datagrams.</summary>
    public required long BytesSent { get; init; }

    /// <summary>Bytes received on connections that no handler consumed, since the connection was ending.</summary>
    public required long BytesDiscarded { get; init; }

    /// <summary>Bytes written by handlers that the kernel never took, since the connection failed or was reset.</summary>
    public required long BytesUnsent { get; init; }

    /// <summary>Datagrams received.</summary>
    public required long DatagramsReceived { get; init; }

    /// <summary>Datagrams the kernel has taken.</summary>
    public required long DatagramsSent { get; init; }

    /// <summary>Datagrams lost on this side, by <see cref="DatagramDrop"/> (its value is the index).</summary>
    public required IReadOnlyList<long> DatagramsDropped { get; init; }

    /// <summary>Datagrams whose handler threw.</summary>
    public required long DatagramFaults { get; init; }

    /// <summary>Failures of accept(2), and connections closed at once since they could not have the socket options asked for.</summary>
    public required long AcceptErrors { get; init; }

    /// <summary>Processes that were killed, crashed, or could not be made.</summary>
    public required long ProcessesLost { get; init; }

    /// <summary>Calls of a lane to a session that was over, which changed nothing: a fault of the lane.</summary>
    public required long CallsAfterClose { get; init; }

    /// <summary>
    /// What the services' protocols count, by the name of each <see cref="LedgerCounter"/>; no part of <see cref="Errors"/>.
    /// </summary>
    public required IReadOnlyDictionary<string, long> Counters { get; init; }

    /// <summary>Connections open now.</summary>
    public long ConnectionsOpen => ConnectionsOpened + ConnectionsConnected - (ConnectionsClosed.Sum() - ConnectFailures);

    /// <summary>Connections that handlers asked for and that could not be made.</summary>
    public long ConnectFailures => Closed(CloseReason.ConnectFailed);

    /// <summary>
    /// All that went wrong: connections that were refused, could not be made, or ended for any reason but completion, an idle peer or the
    /// server's own order, datagrams lost, handlers that threw, failures of accept, processes lost, faults of a lane. A process that was
    /// lost is one error, and its connection (<see cref="CloseReason.ProcessDied"/>) is none besides.
    /// </summary>
    public long Errors => ConnectionsClosed.Sum() - Closed(CloseReason.Completed) - Closed(CloseReason.IdleTimeout)
        - Closed(CloseReason.ServerClosed) - Closed(CloseReason.ProcessDied)
        + ConnectionsRefused + ConnectionsDenied - RefusedOpen
        + DatagramsDropped.Sum() + DatagramFaults + AcceptErrors + ProcessesLost + CallsAfterClose;

    /// <summary>Connections that ended for <paramref name="reason"/>.</summary>
    public long Closed(CloseReason reason) => ConnectionsClosed[(int)reason];

    /// <summary>What <paramref name="counter"/> has counted; 0 if no service of this ledger lists it.</summary>
    public long Of(LedgerCounter counter) => Counters.GetValueOrDefault(counter.Name);

    /// <summary>Datagrams lost because of <paramref name="why"/>.</summary>
    public long Dropped(DatagramDrop why) => DatagramsDropped[(int)why];

    /// <summary>What is not 0, as in <c>ConnectionsOpened 3, Completed 2, Requests 7</c>.</summary>
    public override string ToString()
    {
        IEnumerable<(string Name, long Count)> counts =
        [
            (nameof(ConnectionsOpened), ConnectionsOpened), (nameof(ConnectionsConnected), ConnectionsConnected),
            .. ConnectionsClosed.Select(static (count, reason) => ($"{(CloseReason)reason}", count)),
            (nameof(ConnectionsRefused), ConnectionsRefused), (nameof(OutgoingRefused), OutgoingRefused),
            (nameof(Requests), Requests), (nameof(BytesReceived), BytesReceived),
            (nameof(BytesSent), BytesSent), (nameof(BytesDiscarded), BytesDiscarded), (nameof(BytesUnsent), BytesUnsent),
            (nameof(DatagramsReceived), DatagramsReceived), (nameof(DatagramsSent), DatagramsSent),
            .. DatagramsDropped.Select(static (count, why) => ($"Dropped{(DatagramDrop)why}", count)),
            (nameof(DatagramFaults), DatagramFaults), (nameof(AcceptErrors), AcceptErrors), (nameof(ProcessesLost), ProcessesLost),
            (nameof(CallsAfterClose), CallsAfterClose), .. Counters.Select(static counter => (counter.Key, counter.Value)),
        ];
        string text = string.Join(", ", counts.Where(static each => each.Count != 0).Select(static each => $"{each.Name} {each.Count}"));
        return text.Length == 0 ? "nothing counted" : text;
    }
}
