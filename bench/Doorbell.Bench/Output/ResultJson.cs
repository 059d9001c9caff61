using System.Text.Json;

namespace Doorbell.Bench;

/// <summary>All that was measured, as one JSON document.</summary>
internal static class ResultJson
{
    private static readonly JsonSerializerOptions _indented = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    public static void Write(string file, IReadOnlyList<RowResult> results, string command, int rounds) =>
        File.WriteAllText(file, JsonSerializer.Serialize(
            new
            {
                Time = DateTimeOffset.UtcNow,
                Command = command,
                Machine = Machine.Current,
                Rounds = rounds,
                Rows = results.Select(Row),
            },
            _indented) + "\n");

    private static object Row(RowResult result) => new
    {
        result.Row.Name,
        result.Row.Title,
        result.Condition,
        Figure = result.Row.Measure.Title,
        result.Row.Measure.Unit,
        result.Row.Yardstick,
        Servers = result.Servers.Select(server => Server(result, server)),
        Goals = result.Row.Goals.Select(goal => Goal(result, goal)),
    };

    private static object Server(RowResult result, ServerResult server) => new
    {
        server.Server.Name,
        server.Failure,
        server.Figure,
        RatioToYardstick = server.RatioTo(result.Yardstick),
        Limit = server.Limit?.ToString(),
        Rounds = server.Samples,
    };

    private static object Goal(RowResult result, Goal goal)
    {
        Spread? reached = result.Reached(goal);
        return new
        {
            goal.Server,
            goal.Limit,
            goal.Against,
            Reached = reached,
            Met = reached is { } figure && result.Meets(goal, figure),
        };
    }
}
