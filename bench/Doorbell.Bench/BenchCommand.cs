using System.CommandLine;
using System.Runtime.InteropServices;
using Spectre.Console;

namespace Doorbell.Bench;

/// <summary>The command line of <c>bench/run</c>.</summary>
internal sealed class BenchCommand
{
    private const int Interrupted = 130;
    private const int WrongUsage = 2;
    private const int DescriptorsNeeded = 10100;

    private readonly Option<string?> _rows = new("--rows") { Description = "Only these rows of the table", HelpName = "NAME,…" };

    private readonly Option<string?> _servers = new("--servers")
    {
        Description = "Only these servers, and what they are compared with",
        HelpName = "NAME,…",
    };

    private readonly Option<int> _rounds = new("--rounds")
    {
        Description = "How often each server has its turn",
        HelpName = "N",
        DefaultValueFactory = static _ => 5,
    };

    private readonly Option<string?> _json = new("--json") { Description = "Write all figures into a file", HelpName = "FILE" };
    private readonly Option<string?> _plots = new("--plots") { Description = "Draw pictures into a folder", HelpName = "DIR" };

    private readonly Option<string?> _doorbell = new("--doorbell")
    {
        Description = "Measure this executable instead of the one built here",
        HelpName = "FILE",
    };

    private readonly Option<string?> _load = new("--load")
    {
        Description = "Ask by this doorbell's load, where it knows the way to ask, instead of the load in C",
        HelpName = "FILE",
    };

    public async Task<int> RunAsync(string[] arguments)
    {
        RootCommand command = new("Measures doorbell beside its peers: server on processor 0, load on processor 1, interleaved rounds.")
        {
            _rows, _servers, _rounds, _json, _plots, _doorbell, _load,
        };
        command.SetAction((parsed, _) => RunAsync(parsed, string.Join(' ', ["bench/run", .. arguments])));
        ParseResult parsed = command.Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            Console.Error.WriteLine($"bench: {parsed.Errors[0].Message}");
            return WrongUsage;
        }

        // The signals are ours: what was started has to be ended first, however long that takes.
        return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
    }

    private async Task<int> RunAsync(ParseResult parsed, string command)
    {
        using CancellationTokenSource interrupted = new();
        void End(PosixSignalContext signal)
        {
            signal.Cancel = true;
            interrupted.Cancel();
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        try
        {
            return await MeasureAsync(parsed, command, interrupted.Token);
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("bench: interrupted; everything that was started has been ended");
            return Interrupted;
        }
        catch (ArgumentException wrong)
        {
            Console.Error.WriteLine($"bench: {wrong.Message}");
            return WrongUsage;
        }
        catch (Exception failure) when (failure is BenchException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"bench: {failure.Message}");
            return 1;
        }
    }

    private async Task<int> MeasureAsync(ParseResult parsed, string command, CancellationToken cancellation)
    {
        Servers servers = new(Root(AppContext.BaseDirectory), parsed.GetValue(_doorbell) is { } file ? Path.GetFullPath(file) : null);
        LoadProgram load = new(servers.Load, parsed.GetValue(_load) is { } ours ? Path.GetFullPath(ours) : null);
        IReadOnlyList<Row> all = Rows.All(load);
        IReadOnlyList<string> rows = Chosen(parsed.GetValue(_rows), [.. all.Select(static row => row.Name)], "row");
        IReadOnlyList<string> chosen = Chosen(
            parsed.GetValue(_servers), [.. servers.All.Select(static server => server.Name)], "server");
        int rounds = parsed.GetValue(_rounds);
        CanMeasure(servers, rounds);
        Console.WriteLine(Machine.Current);
        List<RowResult> results = [];
        foreach (Row row in all.Where(row => rows.Contains(row.Name)))
        {
            Server[] takingPart = [.. row.Servers.Where(name => chosen.Contains(name) || name == row.Yardstick).Select(servers.Named)];
            if (takingPart.Length == 1 && !chosen.Contains(row.Yardstick))
            {
                continue; // none of the chosen does this
            }

            results.Add(await ShowingAsync(row.Name, note => new RowRun(row, takingPart, load, rounds, note)
                .RunAsync(cancellation)));
            ResultTable.Print(results[^1]);
            Write(parsed, results, command, rounds); // after each row: what has been measured is not lost with what has not
        }

        Console.WriteLine($"medians of {rounds} interleaved rounds (lowest–highest); ratios are of figures of the same round");
        return results.SelectMany(static row => row.Servers)
            .Any(static server => server is { Failure: not null, Server.Role: not Role.Peer }) ? 1 : 0;
    }

    private void Write(ParseResult parsed, List<RowResult> results, string command, int rounds)
    {
        if (parsed.GetValue(_json) is { } file)
        {
            ResultJson.Write(file, results, command, rounds);
        }

        if (parsed.GetValue(_plots) is { } folder)
        {
            Pictures.Write(folder, results);
        }
    }

    private static async Task<RowResult> ShowingAsync(string name, Func<Action<string>, Task<RowResult>> run)
    {
        if (Console.IsOutputRedirected)
        {
            return await run(static _ => { });
        }

        return await AnsiConsole.Status().StartAsync(name, status => run(note => status.Status(Markup.Escape(note))));
    }

    private static void CanMeasure(Servers servers, int rounds)
    {
        if (rounds < 1)
        {
            throw new ArgumentException("--rounds takes a number from 1 on");
        }

        if (!File.Exists(servers.Load))
        {
            throw new BenchException("the load generator was not built; bench/run builds it");
        }

        if (Environment.ProcessorCount < 2)
        {
            throw new BenchException("this machine has one processor; server and load need one each");
        }

        string[] fields = File.ReadLines("/proc/self/limits")
            .First(static line => line.StartsWith("Max open files", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (int.TryParse(fields[3], out int soft) && soft < DescriptorsNeeded)
        {
            throw new BenchException(
                $"a process may open {soft} descriptors here; 10,000 connections need {DescriptorsNeeded} (ulimit -n)");
        }
    }

    /// <exception cref="ArgumentException">One of them is none that there is.</exception>
    private static IReadOnlyList<string> Chosen(string? names, IReadOnlyList<string> all, string what)
    {
        if (names is null)
        {
            return all;
        }

        string[] chosen = names.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return chosen.FirstOrDefault(name => !all.Contains(name)) is { } unknown
            ? throw new ArgumentException($"there is no {what} named {unknown}; there are {string.Join(", ", all)}")
            : chosen;
    }

    private static string Root(string folder) => File.Exists(Path.Combine(folder, "Doorbell.slnx"))
        ? folder
        : Root(Path.GetDirectoryName(folder) ?? throw new BenchException("it does not run from a clone of the repository"));
}
