using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Doorbell.Tests;

/// <summary>The log of <c>-v</c>, for people and as JSON: each line can be read, and what it says equals what the ledger says.</summary>
public sealed partial class LogTests
{
    public static TheoryData<string> Models => ["iterative", "process", "prefork", "thread", "pool", "async", "loop"];

    [Theory]
    [MemberData(nameof(Models))]
    public void Each_end_of_a_connection_has_its_bytes_and_they_add_up_to_the_ledger(string model)
    {
        (Program server, string[] endpoints) = Start("serve", "--json", "-v", "--model", model, "tcp://127.0.0.1:0");
        using (server)
        {
            string[] questions = ["a", "hello", new string('x', 5000)];
            foreach (string question in questions)
            {
                Assert.Equal(0, Doorbells.Run("native", "", "ask", endpoints[0], question).ExitCode);
            }

            server.Signal("TERM");
            Ended ended = server.WaitForEnd();
            JsonElement[] log = Objects(ended.Error);
            JsonElement summary = Objects(ended.Output).Single(static line => line.GetProperty("event").GetString() == "summary");
            JsonElement[] ends = [.. log.Where(static line => line.GetProperty("name").GetString() == "disconnected")];
            Assert.Equal(questions.Length, summary.GetProperty("connections").GetInt64());
            Assert.Equal(questions.Length, ends.Length);
            foreach (string count in (string[])["bytesReceived", "bytesSent"])
            {
                Assert.Equal(summary.GetProperty(count).GetInt64(), ends.Sum(end => end.GetProperty(count).GetInt64()));
            }

            Assert.Equal(
                questions.Select(static question => question.Length + 1L),
                ends.Select(static end => end.GetProperty("bytesReceived").GetInt64()).Order());
            Assert.All(ends, end => Check(end, endpoints[0]));
            Assert.Equal(questions.Length, log.Count(static line => line.GetProperty("name").GetString() == "connected"));
        }
    }

    /// <summary>The kernel knows what a program moved over TCP.</summary>
    [Fact]
    public void A_programs_connection_has_its_bytes_too()
    {
        (Program server, string[] endpoints) = Start("serve", "--json", "-v", "tcp://127.0.0.1:0", "--shell", "cat");
        using (server)
        {
            Assert.Equal(0, Doorbells.Run("native", "", "ask", endpoints[0], "hello").ExitCode);
            server.Signal("TERM");
            Ended ended = server.WaitForEnd();
            JsonElement end = Objects(ended.Error).Single(static line => line.GetProperty("name").GetString() == "disconnected");
            Assert.Equal((6, 6), (end.GetProperty("bytesReceived").GetInt64(), end.GetProperty("bytesSent").GetInt64()));
        }
    }

    [Fact]
    public void A_relay_logs_both_of_its_connections()
    {
        (Program server, string[] upstream) = Start("serve", "--json", "tcp://127.0.0.1:0");
        (Program relay, string[] endpoints) = Start("relay", "--json", "-v", "tcp://127.0.0.1:0", upstream[0]);
        using (server)
        using (relay)
        {
            Assert.Equal(0, Doorbells.Run("native", "", "ask", endpoints[0], "hello").ExitCode);
            relay.Signal("TERM");
            JsonElement[] log = Objects(relay.WaitForEnd().Error);
            JsonElement ours = log.Single(static line => line.GetProperty("name").GetString() == "disconnectedFrom");
            Assert.Equal((6, 6), (ours.GetProperty("bytesReceived").GetInt64(), ours.GetProperty("bytesSent").GetInt64()));
            Assert.Equal(upstream[0], ours.GetProperty("upstream").GetString());
            Assert.Single(log, static line => line.GetProperty("name").GetString() == "disconnected");
        }
    }

    [Fact]
    public void For_people_a_line_begins_with_the_date_and_time_in_UTC()
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "tcp://127.0.0.1:0", "-v");
        using (server)
        {
            Doorbells.Run("native", "", "ask", endpoint.ToString(), "hello");
            server.Signal("TERM");
            string[] lines = server.WaitForEnd().Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.All(lines, static line => Assert.Matches(Line(), line));
            Assert.Contains(lines, static line => line.Contains("ended: Completed, after ", StringComparison.Ordinal)
                && line.EndsWith(" ms; bytes received: 6, sent: 6", StringComparison.Ordinal));
        }
    }

    private static void Check(JsonElement end, string endpoint)
    {
        DateTime time = DateTime.Parse(end.GetProperty("time").GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
        Assert.Equal(DateTimeKind.Utc, time.Kind);
        Assert.InRange(time, DateTime.UtcNow - TimeSpan.FromMinutes(5), DateTime.UtcNow + TimeSpan.FromSeconds(1));
        Assert.Equal(("information", endpoint), (end.GetProperty("level").GetString(), end.GetProperty("door").GetString()));
        Assert.Equal("completed", end.GetProperty("reason").GetString());
        Assert.StartsWith("127.0.0.1:", end.GetProperty("peer").GetString(), StringComparison.Ordinal);
        Assert.InRange(end.GetProperty("milliseconds").GetDouble(), 0.001, 300_000);
        Assert.Contains("ended: Completed", end.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    private static JsonElement[] Objects(string lines) =>
        [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonDocument.Parse(line).RootElement)];

    private static (Program Server, string[] Endpoints) Start(params string[] arguments)
    {
        Program server = Doorbells.Start("native", arguments);
        JsonElement listening = JsonDocument.Parse(server.WaitForLine("\"listening\"")).RootElement;
        return (server, [listening.GetProperty("endpoint").GetString()!]);
    }

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warn|dbug|fail): doorbell\[\d+\] ")]
    private static partial Regex Line();
}
