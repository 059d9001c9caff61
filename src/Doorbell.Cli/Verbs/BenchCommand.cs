using System.CommandLine;
using Doorbell.Cli.Arguments;
using Doorbell.Cli.Printing;
using Doorbell.Cli.Printing.Models;
using Doorbell.Cli.Printing.Plots;
using Doorbell.Lab.Models;

namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell bench models</c>: the server models side by side on this machine.</summary>
internal static class BenchCommand
{
    private const double DefaultSeconds = 40;
    private const double FewestSeconds = 2;
    private const double MaxSeconds = 600;

    public static Verb Make()
    {
        Option<Duration> seconds = CommonOptions.Duration("--seconds", "About how long the whole run takes", DefaultSeconds);
        Option<bool> json = new("--json") { Description = "Print a JSON object for each model, one a line" };
        Option<FileInfo?> plot = PlotFile.Option();
        Command models = new("models", "Measure the server models side by side: throughput, processor time, latency, memory, slow clients")
        {
            seconds, json, plot,
        };
        models.SetAction(parsed =>
        {
            double wanted = parsed.GetValue(seconds).Time.TotalSeconds;
            return wanted is < FewestSeconds or > MaxSeconds
                ? throw new ArgumentException($"--seconds takes a time from {FewestSeconds} to {MaxSeconds} seconds")
                : RunAsync(new Schedule(wanted, ModelsBench.Models.Count), parsed.GetValue(json), parsed.GetValue(plot));
        });
        return new Verb(
            "bench",
            "Measure servers on this machine",
            [
                new("doorbell bench models", "Measures all server models in 40 seconds"),
                new("doorbell bench models --seconds 10 --plot models.svg", "Takes 10 seconds, and draws a picture too"),
            ])
        {
            models,
        };
    }

    private static async Task<int> RunAsync(Schedule schedule, bool json, FileInfo? plot)
    {
        if (!OperatingSystem.IsLinux())
        {
            return Failure.Network("bench models: it reads what servers use from /proc, which only Linux has");
        }

        StandardOutput.BecomesConsole();
        if (PlotFile.WhyNot(plot) is { } missing)
        {
            return Failure.Network(missing);
        }

        if (!Console.IsErrorRedirected)
        {
            Failure.Say($"measuring {schedule.Models} server models, about {schedule.Seconds:0} s");
        }

        IReadOnlyList<ModelResult> results;
        StopSignals.Listen();
        try
        {
            results = await MeasureAsync(schedule);
        }
        catch (OperationCanceledException)
        {
            Failure.Say("bench models: interrupted; its servers have been stopped");
            return StopSignals.EndProcess();
        }
        catch (TimeoutException)
        {
            return Failure.Network(
                $"bench models: not done after {schedule.Max.TotalSeconds:0} s; is the machine busy? or allow more --seconds");
        }

        if (json)
        {
            results.ToList().ForEach(result => Console.Out.WriteLine(ModelsJson.Line(result, schedule)));
        }
        else
        {
            ModelsTable.Print(results, schedule);
        }

        if (results.All(static result => result.Error is not null))
        {
            return Failure.Network($"bench models: no server started; the first said: {results[0].Error}");
        }

        return plot is not null && ModelsPlot.Write(results, schedule, plot) is { } unwritten
            ? Failure.Network(unwritten)
            : 0;
    }

    /// <summary>This same executable, as a server.</summary>
    private static IReadOnlyList<string> ServerOf(string model)
    {
        string file = Environment.ProcessPath!;
        string[] program = Path.GetFileNameWithoutExtension(file) == "dotnet" ? [file, Environment.GetCommandLineArgs()[0]] : [file];
        return [.. program, "serve", "capitalize", "tcp://127.0.0.1:0", "--model", model, "--json", "--drain", "1"];
    }

    private static async Task<IReadOnlyList<ModelResult>> MeasureAsync(Schedule schedule)
    {
        using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(StopSignals.First);
        enough.CancelAfter(schedule.Max);
        try
        {
            return await new ModelsBench(schedule, ServerOf).RunAsync(enough.Token);
        }
        catch (OperationCanceledException) when (!StopSignals.First.IsCancellationRequested)
        {
            throw new TimeoutException();
        }
        catch (NetworkException) when (StopSignals.First.IsCancellationRequested)
        {
            // A terminal's Ctrl-C reaches the servers too: then they go before their clients do.
            throw new OperationCanceledException(StopSignals.First);
        }
    }
}
