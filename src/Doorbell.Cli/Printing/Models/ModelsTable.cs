using System.Globalization;
using Doorbell.Lab.Models;
using Spectre.Console;

namespace Doorbell.Cli.Printing.Models;

/// <summary>What was measured, as tables for people.</summary>
internal static class ModelsTable
{
    public static void Print(IReadOnlyList<ModelResult> results, Schedule schedule)
    {
        IAnsiConsole tables = TableOutput.Open();
        List<ModelResult> measured = [.. results.Where(static result => result.Error is null)];
        if (measured.Count > 0)
        {
            tables.Write(Work($"A new connection for each request, {Lab.Models.Load.Clients} clients", measured,
                static result => result.ConnectEachTime));
            tables.Write(Work(
                $"A kept connection for each client, as many of {Lab.Models.Load.Clients} as the model serves at once", measured,
                static result => result.PingPong));
            tables.Write(Idle(measured));
            tables.Write(Waits(measured, schedule.Cap));
        }

        foreach (ModelResult failed in results.Where(static result => result.Error is not null))
        {
            Console.Out.WriteLine($"{failed.Model}: {failed.Error}");
        }

        Console.Out.WriteLine(
            $"median of {Schedule.Rounds} interleaved rounds of at most {Text(schedule.Slice.TotalMilliseconds)} ms (lowest-highest); "
                + $"{ModelsBench.LineBytes}-byte lines, every answer checked");
    }

    private static Table Work(string title, List<ModelResult> results, Func<ModelResult, IReadOnlyList<Slice>> work)
    {
        Table table = NewTable(title, "model", "clients", "requests/s", "server CPU/request, µs", "p50, µs", "p99, µs");
        foreach (ModelResult result in results)
        {
            IReadOnlyList<Slice> rounds = work(result);
            table.AddRow(
                result.Model,
                Text(rounds.Min(static round => round.Connections)),
                Spread(Rounds.Of(rounds, static round => round.RequestsPerSecond)),
                Spread(Rounds.Of(rounds, static round => round.CpuPerRequest)),
                Text(Rounds.Of(rounds, static round => round.Percentile(50)).Median),
                Text(Rounds.Of(rounds, static round => round.Percentile(99)).Median));
        }

        return table;
    }

    private static Table Idle(List<ModelResult> results)
    {
        Table table = NewTable("Idle connections, each answered once",
            "model", "opened", "held", "wait in the backlog", "processes", "memory each");
        foreach (ModelResult result in results)
        {
            IdleMemory idle = result.Idle!;
            string left = idle.Connected == idle.Opened ? "" : $", {Text(idle.Opened - idle.Connected)} found it full";
            string memory = idle.PerConnection is { } bytes ? $"{Text(bytes / 1024)} KiB" : "too few to tell";
            table.AddRow(result.Model, Text(idle.Opened), Text(idle.Held), Text(idle.Waiting) + left, Text(idle.Processes), memory);
        }

        table.Caption = new TableTitle($"process: from {IdleMemory.ConnectionsOfProcesses} connections, since each is a process");

        return table;
    }

    private static Table Waits(List<ModelResult> results, TimeSpan cap)
    {
        Table table = NewTable("How long a new client waits while K slow clients hold a connection, ms",
            ["model", .. ModelsBench.SlowClientCounts.Select(static count => $"K={count}")]);
        foreach (ModelResult result in results)
        {
            table.AddRow([result.Model, .. result.Waits.Select(wait =>
                wait is { } answered ? Text(answered.TotalMilliseconds) : $"> {Text(cap.TotalMilliseconds)}")]);
        }

        return table;
    }

    private static Table NewTable(string title, params string[] columns)
    {
        Table table = new() { Title = new TableTitle(Markup.Escape(title)), Border = TableBorder.Rounded };
        foreach ((int at, string column) in columns.Index())
        {
            table.AddColumn(new TableColumn(Markup.Escape(column)) { Alignment = at == 0 ? Justify.Left : Justify.Right });
        }

        return table;
    }

    private static string Spread(Rounds rounds) => $"{Text(rounds.Median)} ({Text(rounds.Lowest)}-{Text(rounds.Highest)})";

    /// <summary>Three figures that mean something.</summary>
    private static string Text(double number) => number.ToString(
        Math.Abs(number) switch
        {
            >= 100 => "#,0",
            >= 10 => "0.#",
            _ => "0.##",
        },
        CultureInfo.InvariantCulture);
}
