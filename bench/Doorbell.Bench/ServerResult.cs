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

    /// <summary>Whether in most rounds the load was what kept it from being faster.</summary>
    public bool DriverWasTheLimit => Samples.Count(static sample => sample.Load is { DriverWasTheLimit: true }) * 2 > Samples.Count;

    public Spread? Of(Func<Sample, double> number) => Failure is null ? Spread.Of(Samples.Select(number)) : null;

    /// <summary>Of the load; null if the row has none.</summary>
    public Spread? OfLoad(Func<LoadReport, double> number) =>
        Failure is null ? Spread.Of(Samples.Where(static sample => sample.Load is not null).Select(sample => number(sample.Load!))) : null;

    /// <summary>The ratio of the figures of the same rounds: what disturbed the machine disturbed both.</summary>
    public Spread? RatioTo(ServerResult? other) => Failure is null && other is { Failure: null }
        ? Spread.Of(Samples.Zip(other.Samples, static (own, its) => own.Figure / its.Figure))
        : null;
}
