namespace Doorbell.Coap;

/// <summary>What a CoAP server has refused, forgotten and lost.</summary>
/// <param name="EvictedExchanges">
/// Exchanges forgotten before their lifetime's end for want of room: duplicates of them could have a second effect.
/// </param>
/// <param name="Challenges">Requests of strangers that were to prove where they are first (4.01 with Echo).</param>
/// <param name="Unsent">Answers larger than a stranger may get, not sent.</param>
/// <param name="RefusedBodies">Requests' bodies that were too large (4.13).</param>
/// <param name="EvictedBodies">Bodies forgotten to make room for others.</param>
/// <param name="TimedOutBodies">Requests' bodies whose next block did not come in time.</param>
/// <param name="UnacknowledgedAnswers">
/// Separate answers that were given up, as nobody acknowledged them, and those that waited behind them for the same peer, whose requests
/// have had no effect.
/// </param>
/// <param name="RefusedObservations">Requests to observe for which there was no room, answered as any other.</param>
/// <param name="LostObservations">Observations that were given up, as nobody acknowledged a notification.</param>
public readonly record struct CoapServerCounts(
    long EvictedExchanges,
    long Challenges,
    long Unsent,
    long RefusedBodies,
    long EvictedBodies,
    long TimedOutBodies,
    long UnacknowledgedAnswers,
    long RefusedObservations,
    long LostObservations)
{
    private static readonly LedgerCounter[] _counters =
    [
        new("coap.evicted_exchanges"),
        new("coap.challenges"),
        new("coap.unsent"),
        new("coap.refused_bodies"),
        new("coap.evicted_bodies"),
        new("coap.timed_out_bodies"),
        new("coap.unacknowledged_answers"),
        new("coap.refused_observations"),
        new("coap.lost_observations"),
    ];

    /// <summary>As a service lists them (<see cref="Service.Counters"/>), in the order of the members here.</summary>
    public static IReadOnlyList<LedgerCounter> Counters => _counters;

    /// <summary>The same, with what an operator is told when sockets with these limits forget exchanges.</summary>
    internal static IReadOnlyList<LedgerCounter> CountersFor(CoapServerLimits limits) =>
    [
        _counters[0] with
        {
            Warning = $"CoAP: {{0}} requests were forgotten early, since each socket remembers {limits.MaxExchanges}: a duplicate of one, "
                + "which may come until 247 seconds after it, could have a second effect. Remember more with "
                + "CoapServerLimits.MaxExchanges, or serve with more workers",
        },
        .. _counters[1..],
    ];

    /// <summary>What a server's ledger says of all its CoAP sockets together.</summary>
    /// <param name="counts">Of a server that has a service with the <see cref="Counters"/>.</param>
    public static CoapServerCounts From(LedgerSnapshot counts) => new(
        counts.Of(_counters[0]),
        counts.Of(_counters[1]),
        counts.Of(_counters[2]),
        counts.Of(_counters[3]),
        counts.Of(_counters[4]),
        counts.Of(_counters[5]),
        counts.Of(_counters[6]),
        counts.Of(_counters[7]),
        counts.Of(_counters[8]));

    /// <summary>Adds them to the ledger.</summary>
    internal void AddTo(DatagramTurn turn)
    {
        turn.Count(_counters[0], EvictedExchanges);
        turn.Count(_counters[1], Challenges);
        turn.Count(_counters[2], Unsent);
        turn.Count(_counters[3], RefusedBodies);
        turn.Count(_counters[4], EvictedBodies);
        turn.Count(_counters[5], TimedOutBodies);
        turn.Count(_counters[6], UnacknowledgedAnswers);
        turn.Count(_counters[7], RefusedObservations);
        turn.Count(_counters[8], LostObservations);
    }

    /// <summary>What has come to it since <paramref name="before"/>.</summary>
    internal CoapServerCounts Since(in CoapServerCounts before) => new(
        EvictedExchanges - before.EvictedExchanges,
        Challenges - before.Challenges,
        Unsent - before.Unsent,
        RefusedBodies - before.RefusedBodies,
        EvictedBodies - before.EvictedBodies,
        TimedOutBodies - before.TimedOutBodies,
        UnacknowledgedAnswers - before.UnacknowledgedAnswers,
        RefusedObservations - before.RefusedObservations,
        LostObservations - before.LostObservations);
}
