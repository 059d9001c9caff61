namespace Doorbell;

/// <summary>What a CoAP server has refused, forgotten and lost.</summary>
/// <param name="EvictedExchanges">
/// Exchanges forgotten before their lifetime's end for want of room: duplicates of them could have a second effect.
/// </param>
/// <param name="Challenges">Requests of strangers that were to prove where they are first (4.01 with Echo).</param>
/// <param name="Unsent">Answers larger than a stranger may get, not sent.</param>
/// <param name="RefusedBodies">Requests' bodies for which there was no room (5.03), or that were too large (4.13).</param>
/// <param name="EvictedBodies">Bodies forgotten to make room: of requests the peer's own, of answers anyone's.</param>
/// <param name="TimedOutBodies">Requests' bodies whose next block did not come in time.</param>
/// <param name="UnacknowledgedAnswers">
/// Separate answers that were given up, as nobody acknowledged them, and those that waited behind them for the same peer, whose requests
/// have had no effect.
/// </param>
public readonly record struct CoapServerCounts(
    long EvictedExchanges,
    long Challenges,
    long Unsent,
    long RefusedBodies,
    long EvictedBodies,
    long TimedOutBodies,
    long UnacknowledgedAnswers)
{
    /// <summary>What has come to it since <paramref name="before"/>.</summary>
    internal CoapServerCounts Since(in CoapServerCounts before) => new(
        EvictedExchanges - before.EvictedExchanges,
        Challenges - before.Challenges,
        Unsent - before.Unsent,
        RefusedBodies - before.RefusedBodies,
        EvictedBodies - before.EvictedBodies,
        TimedOutBodies - before.TimedOutBodies,
        UnacknowledgedAnswers - before.UnacknowledgedAnswers);
}
