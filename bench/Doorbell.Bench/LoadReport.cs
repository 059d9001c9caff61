namespace Doorbell.Bench;

/// <summary>What the load tells of one measured window.</summary>
/// <param name="Requests">Right answers.</param>
/// <param name="Bytes">That they had.</param>
/// <param name="Nanoseconds">How long the window was.</param>
/// <param name="ServerCpu">The server's processor time in it, in nanoseconds.</param>
/// <param name="DriverCpu">The load's own.</param>
/// <param name="Wrong">Wrong answers.</param>
/// <param name="Failed">Connections that broke.</param>
/// <param name="Lost">Datagrams given up.</param>
/// <param name="Late">Those of them that were answered after all.</param>
/// <param name="Latency">From the question, or in the open loop from when it should have been sent, to the answer.</param>
/// <param name="Lateness">Of the open loop's own sends.</param>
internal sealed record LoadReport(
    long Requests,
    long Bytes,
    long Nanoseconds,
    long ServerCpu,
    long DriverCpu,
    long Wrong,
    long Failed,
    long Lost,
    long Late,
    Percentiles? Latency,
    Percentiles? Lateness)
{
    private const double Busy = 0.95;
    private const double Disturbed = 0.80;
    private const double HalfOfIt = 0.5;

    public double RequestsPerSecond => Requests * 1e9 / Nanoseconds;

    public double ServerShare => (double)ServerCpu / Nanoseconds;

    public double DriverShare => (double)DriverCpu / Nanoseconds;

    /// <summary>In microseconds.</summary>
    public double CpuPerRequest => ServerCpu / 1e3 / Requests;

    public double BytesPerCpuSecond => Bytes * 1e9 / ServerCpu;

    /// <summary>What kept it from being faster. An open loop never rests; there its own lateness tells.</summary>
    public Limit Limit => (Lateness, ServerShare, DriverShare) switch
    {
        ({ } late, _, _) => late.P99 > HalfOfIt * Latency!.P99 ? Limit.Driver : Limit.Rate,
        (_, > Busy, _) => Limit.Server,
        (_, _, > Busy) => Limit.Driver,
        (_, var server, var driver) when Math.Max(server, driver) < Disturbed => Limit.Neither,
        (_, var server, var driver) => server > driver ? Limit.Server : Limit.Driver,
    };
}
