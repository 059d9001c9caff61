namespace Doorbell.Bench;

/// <summary>What a row's figure is.</summary>
/// <param name="Title">The column's head.</param>
/// <param name="Unit">Of the figure.</param>
/// <param name="MoreIsBetter">Such as bytes; of time and memory less is.</param>
internal sealed record Measure(string Title, string Unit, bool MoreIsBetter)
{
    public static Measure CpuPerRequest { get; } = new("server CPU per request", "µs", false);

    public static Measure CpuPerDatagram { get; } = new("server CPU per datagram", "µs", false);

    public static Measure BytesPerCpuSecond { get; } = new("per second of server CPU", "GB", true);

    public static Measure Memory { get; } = new("user memory per connection", "bytes", false);

    public static Measure Latency { get; } = new("p99", "µs", false);
}
