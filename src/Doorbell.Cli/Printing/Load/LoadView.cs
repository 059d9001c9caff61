using System.Globalization;
using Doorbell.Cli.Input;
using Doorbell.Lab.Load;

namespace Doorbell.Cli.Printing.Load;

/// <summary>How a load test is getting on, at a terminal: one line that is written over twice a second, and gone at the end.</summary>
internal sealed class LoadView(LoadTest test)
{
    private static readonly TimeSpan _every = TimeSpan.FromMilliseconds(500);

    /// <summary>Whether standard output is a terminal whose cursor can be moved, and this process is in its foreground.</summary>
    public static bool IsPossible => !Console.IsOutputRedirected && Keyboard.IsInForeground
        && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");

    /// <summary>Shows it until it is over.</summary>
    public async Task RunAsync(CancellationToken over)
    {
        try
        {
            while (true)
            {
                await Task.Delay(_every, over);
                Console.Out.Write($"\r{Shortened(Line(test.Read()))}\e[K");
            }
        }
        catch (OperationCanceledException)
        {
            Console.Out.Write("\r\e[K");
        }
    }

    private static string Shortened(string line) =>
        Terminal.Width is { } width && line.Length >= width ? line[..Math.Max(width - 1, 0)] : line;

    private string Line(LoadReading reading)
    {
        string time = string.Create(
            CultureInfo.InvariantCulture, $"{reading.Elapsed.TotalSeconds:0.0} of {test.Options.Whole.TotalSeconds:0.#} s");
        return reading.Last is not { } last ? "connecting" : string.Create(
            CultureInfo.InvariantCulture,
            $"{time}   {last.RequestsPerSecond:#,0} a second   50% {LoadReport.Text(last.P50)}   99% {LoadReport.Text(last.P99)}   "
                + $"{reading.Open:#,0} open   {reading.Failed:#,0} failed");
    }
}
