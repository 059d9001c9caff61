namespace Doorbell.Lab.Models;

/// <summary>What one server did in one round of one kind of work.</summary>
/// <param name="Connections">How many clients had a turn at once.</param>
/// <param name="Elapsed">How long it took.</param>
/// <param name="Cpu">The server's processor time in it.</param>
/// <param name="Latencies">Of each request in microseconds, ascending.</param>
public sealed record Slice(int Connections, TimeSpan Elapsed, TimeSpan Cpu, double[] Latencies)
{
    /// <summary>How many requests were answered a second.</summary>
    public double RequestsPerSecond => Latencies.Length / Elapsed.TotalSeconds;

    /// <summary>The server's processor time for each request, in microseconds.</summary>
    public double CpuPerRequest => Cpu.TotalMicroseconds / Latencies.Length;

    /// <summary>The smallest latency, in microseconds, that so many per cent of the requests did not exceed (nearest rank).</summary>
    /// <param name="percent">More than 0, up to 100.</param>
    public double Percentile(double percent) => Latencies[(int)Math.Ceiling(percent / 100 * Latencies.Length) - 1];
}
