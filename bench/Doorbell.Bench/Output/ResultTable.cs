using Spectre.Console;

namespace Doorbell.Bench;

/// <summary>A row's results as a table for people.</summary>
internal static class ResultTable
{
    private const int WidthOfAFile = 150;

    public static void Print(RowResult result)
    {
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = WidthOfAFile;
        }

        AnsiConsole.Write(Of(result));
        foreach (ServerResult left in result.Servers.Where(static server => server.Failure is not null))
        {
            Console.Error.WriteLine($"left out of {result.Row.Name}: {left.Failure}");
        }
    }

    private static Table Of(RowResult result)
    {
        Row row = result.Row;
        Table table = new() { Title = new TableTitle(Markup.Escape($"{row.Name}: {row.Title}")), Border = TableBorder.Rounded };
        table.Caption = result.Condition is { } condition ? new TableTitle(Markup.Escape(condition)) : null;
        List<(string Head, Func<ServerResult, string> Cell)> columns = [.. Columns(result)];
        foreach ((int at, (string head, _)) in columns.Index())
        {
            table.AddColumn(new TableColumn(Markup.Escape(head)) { Alignment = at == 0 ? Justify.Left : Justify.Right });
        }

        foreach (ServerResult server in result.Servers.Where(static server => server.Failure is null))
        {
            table.AddRow([.. columns.Select(column => Markup.Escape(column.Cell(server)))]);
        }

        return table;
    }

    private static IEnumerable<(string Head, Func<ServerResult, string> Cell)> Columns(RowResult result)
    {
        Measure measure = result.Row.Measure;
        yield return ("server", static server => server.Server.Name);
        yield return ($"{measure.Title}, {measure.Unit}", static server => Figures.Text(server.Figure));
        if (measure != Measure.Memory)
        {
            yield return ($"to {result.Row.Yardstick}", server => Figures.Ratio(server.RatioTo(result.Yardstick)));
        }

        yield return ("goal", server => string.Join("\n", result.Row.Goals
            .Where(goal => goal.Server == server.Server.Name).Select(goal => Text(result, goal))));
        if (measure == Measure.Latency)
        {
            yield return ("p50, µs", static server => Microseconds(server, static latency => latency.P50));
            yield return ("p99.9, µs", static server => Microseconds(server, static latency => latency.P999));
        }

        if (measure == Measure.Memory)
        {
            yield break;
        }

        if (measure == Measure.CpuPerRequest || measure == Measure.CpuPerDatagram)
        {
            yield return ("a second", static server => Figures.Text(server.OfLoad(static load => load.RequestsPerSecond)!.Value.Median));
        }

        yield return ("server busy", static server => Figures.Percent(server.OfLoad(static load => load.ServerShare)));
        yield return ("driver busy", static server => Figures.Percent(server.OfLoad(static load => load.DriverShare)));
        if (result.Row.Service == Service.Datagrams)
        {
            yield return ("lost", static server => Figures.Text(server.OfLoad(static load => load.Lost)!.Value.Median));
        }

        yield return ("limit", static server => Text(server.Limit));
    }

    private static string Text(RowResult result, Goal goal)
    {
        string number = goal.Against is null ? Figures.Text(goal.Limit) : Figures.Ratio(goal.Limit);
        string limit = (result.Row.Measure.MoreIsBetter ? "≥ " : "≤ ") + number;
        string whose = goal.Against is null || goal.Against == result.Row.Yardstick ? "" : $" × {goal.Against}";
        return result.Reached(goal) is not { } reached ? $"{limit}{whose}: not measured"
            : $"{limit}{whose}: {(result.Meets(goal, reached) ? "met" : "missed")}"
                + (whose.Length > 0 ? $" ({Figures.Ratio(reached.Median)})" : "");
    }

    private static string Text(Limit? limit) => limit switch
    {
        Limit.Server => "server",
        Limit.Driver => "driver",
        Limit.Rate => "rate",
        Limit.Neither => "neither: busy machine",
        _ => "",
    };

    private static string Microseconds(ServerResult server, Func<Percentiles, long> which) =>
        Figures.Text(server.OfLoad(load => which(load.Latency!) / 1e3));
}
