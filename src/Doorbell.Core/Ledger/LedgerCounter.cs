namespace Doorbell;

/// <summary>A count that a protocol adds to the <see cref="Ledger"/>: a <see cref="Service"/> lists its own.</summary>
/// <param name="Name">As it is read and exported, such as <c>coap.challenges</c>: the protocol, a dot, what is counted.</param>
public sealed record LedgerCounter(string Name)
{
    /// <summary>
    /// What an operator is told when it grows, with <c>{0}</c> for how many have come since; the server logs it within a second, and then
    /// once a minute at most. Default null: nothing.
    /// </summary>
    public string? Warning { get; init; }
}
