using System.CommandLine;
using Doorbell.Cli.Printing;
using Doorbell.Cli.Printing.Demos;
using Doorbell.Cli.Printing.Plots;
using Doorbell.Lab.Demos.Loss;

namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell demo NAME</c>: a few seconds on loopback that show what a manual page says, in numbers.</summary>
internal static class DemoCommand
{
    private const int LossSeed = 6789;
    private static readonly double[] _losses = [0, 0.1, 0.2, 0.3, 0.4];

    public static Verb Make() => new(
        "demo",
        "Show what the manual says, measured on this machine; loopback only",
        [
            new("doorbell demo nagle", "Takes a second or two"),
            new("doorbell demo reuse-address", "Takes a second or two"),
            new("doorbell demo receive-buffer", "Takes a second or two"),
            new("doorbell demo backlog", "Takes 4 to 12 seconds"),
            new("doorbell demo loss --plot loss.svg", "Takes a minute or two, and draws a picture too"),
        ])
    {
        Backlog(),
        Loss(),
        Demo("nagle", "Nagle's algorithm and delayed acknowledgements: what TCP_NODELAY saves", NagleReport.Run),
        Demo("reuse-address", "Restarting on a busy port: SO_REUSEADDR, TIME_WAIT and SO_REUSEPORT", ReuseAddressReport.Run),
        Demo("receive-buffer", "A burst of datagrams against SO_RCVBUF, with the kernel's drops", ReceiveBufferReport.Run),
    };

    private static Command Backlog()
    {
        Command command = new("backlog", "A busy iterative server, a backlog of 5, 20 clients: who waits, who has to try again");
        command.SetAction(static async _ =>
        {
            StandardOutput.BecomesConsole();
            await BacklogReport.RunAsync();
            return 0;
        });
        return command;
    }

    private static Command Loss()
    {
        Option<FileInfo?> plot = PlotFile.Option();
        Command command = new("loss", "Datagrams sent once, sent again, and CoAP, while 0 to 40% are lost: answered, doubled, how long")
        {
            plot,
        };
        command.SetAction((parsed, _) => RunLossAsync(parsed.GetValue(plot)));
        return command;
    }

    private static Command Demo(string name, string description, Action<TextWriter> run)
    {
        Command command = new(name, description);
        command.SetAction(_ =>
        {
            if (!OperatingSystem.IsLinux())
            {
                return Failure.Network($"demo {name} shows what Linux does, and this is another system");
            }

            StandardOutput.BecomesConsole();
            run(Console.Out);
            return 0;
        });
        return command;
    }

    private static async Task<int> RunLossAsync(FileInfo? plot)
    {
        StandardOutput.BecomesConsole();
        if (PlotFile.WhyNot(plot) is { } missing)
        {
            return Failure.Network(missing);
        }

        StopSignals.Listen();
        LossReport.Begin();

        // Each run has two proxies, whose seeds follow each other.
        LossRun[] runs = [.. _losses.Select(static (loss, at) => new LossRun(loss, LossSeed + (2 * at), Failure.Say))];
        try
        {
            await Task.WhenAll(runs.Select(run => run.RunAsync(StopSignals.First)));
        }
        catch (OperationCanceledException)
        {
            Failure.Say("demo loss: interrupted; its servers have been stopped");
            return StopSignals.EndProcess();
        }

        LossReport.Print(runs);
        return plot is not null && LossPlot.Write(runs, plot) is { } unwritten ? Failure.Network(unwritten) : 0;
    }
}
