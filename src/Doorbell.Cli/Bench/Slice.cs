namespace Doorbell.Cli;

/// <summary>What one server did in one round of one kind of work.</summary>
/// <param name="Connections">How many clients had a turn at once.</param>
/// <param name="Elapsed">How long it took.</param>
/// <param name="Cpu">The server's processor time in it.</param>
/// <param name="Latencies">Of each request in microseconds, ascending.</param>
internal sealed record Slice(int Connections, TimeSpan Elapsed, TimeSpan Cpu, double[] Latencies)
{
    public double RequestsPerSecond => Latencies.Length / Elapsed.TotalSeconds;

    /// <summary>In microseconds.</summary>
    public double CpuPerRequest => Cpu.TotalMicroseconds / Latencies.Length;

    /// <summary>The smallest latency, in microseconds, that so many per cent of the requests did not exceed (nearest rank).</summary>
    public double Percentile(double percent) => Latencies[(int)Math.Ceiling(percent / 100 * Latencies.Length) - 1];
}
