namespace Doorbell.Bench;

/// <summary>What one server did in one row.</summary>
internal sealed class ServerResult(Server server)
{
    public Server Server => server;

    /// <summary>One a round, in the rounds' order.</summary>
    public List<Sample> Samples { get; } = [];

    /// <summary>Why it was left out; null if it was not.</summary>
    public string? Failure { get; set; }

    public Spread? Figure => Of(static sample => sample.Figure);

    /// <summary>What in most rounds kept it from being faster; null if the row has no load.</summary>
    public Limit? Limit => Samples.Select(static sample => sample.Load?.Limit).GroupBy(static limit => limit)
        .MaxBy(static group => group.Count())?.Key;

    public Spread? Of(Func<Sample, double> number) => Failure is null ? Spread.Of(Samples.Select(number)) : null;

    /// <summary>Of the load; null if the row has none.</summary>
    public Spread? OfLoad(Func<LoadReport, double> number) =>
        Failure is null ? Spread.Of(Samples.Where(static sample => sample.Load is not null).Select(sample => number(sample.Load!))) : null;

    /// <summary>
    /// The ratio of the figures of the same rounds: what disturbed the machine disturbed both. There is none to nothing at all.
    /// </summary>
    public Spread? RatioTo(ServerResult? other) =>
        Failure is null && other is { Failure: null } && other.Samples.TrueForAll(static sample => sample.Figure > 0)
        ? Spread.Of(Samples.Zip(other.Samples, static (own, its) => own.Figure / its.Figure))
        : null;
}
