using Doorbell.Lab.Demos;

namespace Doorbell.Cli.Printing.Demos;

/// <summary>Runs <c>demo nagle</c> and prints what it measures.</summary>
internal static class NagleReport
{
    public static void Run(TextWriter output)
    {
        output.WriteLine(
            $"{NagleDemo.Exchanges} questions of {NagleDemo.QuestionBytes} bytes over one loopback connection, each answered when it is "
                + "whole.");
        double nagle = Measure(output, "two writes, Nagle on", nagle: true, writes: 2);
        double noDelay = Measure(output, "two writes, Nagle off", nagle: false, writes: 2);
        double oneWrite = Measure(output, "one write, Nagle on", nagle: true, writes: 1);
        output.WriteLine();
        output.WriteLine(
            $"With Nagle's algorithm the second write took {nagle / Math.Max(noDelay, 0.001):0} times as long here as without. It waits "
                + "until the first is acknowledged (RFC 896), and the peer, which has nothing to answer yet, delays its acknowledgement, "
                + "on Linux for 40 ms (RFC 1122 section 4.2.3.2).");
        output.WriteLine(
            "tcp(7): TCP_NODELAY \"means that segments are always sent as soon as possible, even if there is only a small amount of "
                + "data\".");
        output.WriteLine(
            $"A question in one write ({oneWrite:0.000} ms) has no second segment to hold back. Doorbell sends what a turn writes in one "
                + "call, and sets TCP_NODELAY too.");
    }

    /// <returns>The median in milliseconds.</returns>
    private static double Measure(TextWriter output, string what, bool nagle, int writes)
    {
        NagleResult result = NagleDemo.Measure(nagle, writes);
        double median = result.Median.TotalMilliseconds;
        output.WriteLine($"{what + ":",-23} {median,8:0.000} ms an exchange (median of {NagleDemo.Exchanges}); {result.Option}");
        return median;
    }
}
