namespace Doorbell.Lab.Load;

/// <summary>What all connections of a load share. The load's thread alone uses it.</summary>
internal sealed class LoadState(LoadOptions options, TimeSpan interval)
{
    public LoadOptions Options => options;

    public LoadSchedule Schedule { get; } = new(options.Rate, options.Ramp);

    public LoadTally Tally { get; } = new(interval);

    /// <summary>Questions that have been asked and neither answered nor given up.</summary>
    public int UnderWay { get; set; }
}
