using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Text.Json;
using System.Xml.Linq;
using Doorbell.Lab.Models;

namespace Doorbell.Tests;

/// <summary><c>doorbell bench models</c> as a user runs it, in a few seconds.</summary>
public sealed class BenchTests
{
    private static readonly string[] _models = ["iterative", "process", "prefork", "thread", "pool", "async", "loop"];

    [Fact]
    public void Every_model_is_measured_in_all_respects()
    {
        using Scratch picture = new(".svg");
        Ended ended = Bench("--seconds", "3", "--json", "--plot", picture.Path);
        Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
        JsonElement[] lines = [.. ended.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(_models, lines.Select(static line => line.GetProperty("model").GetString()));
        Assert.All(lines, AssertMeasured);

        XElement svg = XDocument.Load(picture.Path).Root!;
        Assert.Equal(("svg", "0 0 1200 520"), (svg.Name.LocalName, svg.Attribute("viewBox")!.Value));
        string[] texts = [.. svg.Descendants().Where(static element => element.Name.LocalName == "text")
            .Select(static text => text.Value.Trim())];
        Assert.All(_models, model => Assert.Contains(model, texts));
    }

    [Fact]
    public void People_get_tables_with_a_row_for_each_model_and_a_picture()
    {
        using Scratch picture = new(".png");
        Ended ended = Bench("--seconds", "2", "--plot", picture.Path);
        Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
        Assert.Contains("K=64", ended.Output, StringComparison.Ordinal);
        Assert.All(_models, model => Assert.Equal(4, ended.Output.Split('\n').Count(line =>
            line.StartsWith($"│ {model} ", StringComparison.Ordinal))));

        byte[] png = File.ReadAllBytes(picture.Path);
        Assert.Equal([0x89, .. "PNG\r\n\u001a\n"u8], png[..8]);
        int Number(int at) => BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
        Assert.Equal((1200, 520), (Number(16), Number(20)));
    }

    /// <summary>The bench gives up where a machine is too busy to measure on. How busy it is decides no test: it is asked again.</summary>
    private static Ended Bench(params string[] arguments)
    {
        Ended ended = Doorbells.Run("native", "", ["bench", "models", .. arguments]);
        for (int again = 0; again < 4 && ended.Error.Contains("not done after", StringComparison.Ordinal); again++)
        {
            ended = Doorbells.Run("native", "", ["bench", "models", .. arguments]);
        }

        return ended;
    }

    [Fact]
    public async Task A_server_that_answers_wrongly_or_not_at_all_fails_the_bench()
    {
        await using Server right = await Server.StartAsync(ClassicServices.Capitalize, "tcp://127.0.0.1:0");
        Slice slice = LoadOf(right).PingPong(TimeSpan.FromMilliseconds(50), Load.Clients);
        Assert.Equal((Load.Clients, true), (slice.Connections, slice.Latencies.Length >= Load.Clients));

        await using Server lying = await Server.StartAsync(ClassicServices.Echo, "tcp://127.0.0.1:0");
        foreach (Func<Slice> work in new Func<Slice>[]
        {
            () => LoadOf(lying).ConnectEachTime(TimeSpan.FromMilliseconds(50)),
            () => LoadOf(lying).PingPong(TimeSpan.FromMilliseconds(50), Load.Clients),
        })
        {
            NetworkException failure = Assert.Throws<NetworkException>(work);
            Assert.Matches("""^ask the server: to "doorbell bench .*" it answered "doorbell bench .*"$""", failure.Message);
        }

        await using Server silent = await Server.StartAsync(ClassicServices.Discard, "tcp://127.0.0.1:0");
        NetworkException none = Assert.Throws<NetworkException>(() => LoadOf(silent).ConnectEachTime(TimeSpan.FromMilliseconds(50)));
        Assert.Contains("ETIMEDOUT", none.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SIGTERM to the bench")]
    [InlineData("SIGKILL to a server")]
    public void However_it_ends_no_process_is_left(string how)
    {
        using Program bench = Doorbells.Start("native", "bench", "models", "--seconds", "60", "--json");
        int[] servers = [];
        SpinWait.SpinUntil(() => (servers = ServersOf(bench.Id)).Length == _models.Length, TimeSpan.FromSeconds(20));
        Assert.Equal(_models.Length, servers.Length);

        // One that ends before it serves is only shown as such: it has to be under load.
        Assert.True(SpinWait.SpinUntil(() => ShortageTests.TicksOf(servers[^1]) >= 10, TimeSpan.FromSeconds(20)), "no load came");
        if (how.EndsWith("bench", StringComparison.Ordinal))
        {
            bench.Signal("TERM");
        }
        else
        {
            Assert.Equal(0, Program.Run("kill", ["-KILL", $"{servers[^1]}"]).ExitCode);
        }

        Ended ended = bench.WaitForEnd();
        int code = how.EndsWith("bench", StringComparison.Ordinal) ? 143 : 1;
        Assert.Equal((code, ""), (ended.ExitCode, ended.Output));
        Assert.StartsWith("doorbell: ", ended.Error, StringComparison.Ordinal);
        Assert.Equal(1, ended.Error.Count(static c => c == '\n'));
        Assert.DoesNotContain(servers, static id => Directory.Exists($"/proc/{id}"));
    }

    [Fact]
    public void What_goes_wrong_is_one_line_and_the_right_exit_code()
    {
        AssertOneLine(2, "--seconds takes a time from 2 to 600 seconds", "--seconds", "1");
        AssertOneLine(2, "--plot takes a name that ends in .svg or .png, not \"x.gif\"", "--plot", "x.gif");
        AssertOneLine(1, "draw /nonexistent/x.svg: ENOENT", "--plot", "/nonexistent/x.svg");
    }

    private static void AssertMeasured(JsonElement line)
    {
        Assert.False(line.TryGetProperty("error", out JsonElement error), error.ToString());
        foreach (string work in new[] { "connectEachTime", "pingPong" })
        {
            Assert.InRange(line.GetProperty(work).GetProperty("connections").GetInt32(), 1, 16);
            foreach (string number in new[] { "requestsPerSecond", "p50Microseconds", "p99Microseconds" })
            {
                JsonElement rounds = line.GetProperty(work).GetProperty(number);
                double lowest = rounds.GetProperty("lowest").GetDouble();
                Assert.True(lowest > 0);
                Assert.InRange(rounds.GetProperty("median").GetDouble(), lowest, rounds.GetProperty("highest").GetDouble());
            }
        }

        JsonElement idle = line.GetProperty("idle");
        int Count(string name) => idle.GetProperty(name).GetInt32();
        bool isProcesses = line.GetProperty("model").GetString() == "process";
        Assert.Equal(isProcesses ? 50 : 1000, Count("opened"));
        Assert.InRange(Count("processes"), isProcesses ? Count("held") + 1 : 1, int.MaxValue);
        Assert.Equal(Count("opened"), Count("held") + Count("waiting") + Count("notConnected"));
        Assert.True(Count("held") > 0);
        JsonElement[] waits = [.. line.GetProperty("newClientWaits").EnumerateArray()];
        Assert.Equal([0, 1, 2, 4, 8, 16, 32, 64], waits.Select(static wait => wait.GetProperty("slowClients").GetInt32()));
        Assert.All(waits, static wait => Assert.NotEqual(
            wait.TryGetProperty("milliseconds", out _), wait.TryGetProperty("moreThanMilliseconds", out _)));
    }

    private static Load LoadOf(Server server) =>
        new(new IPEndPoint(IPAddress.Loopback, server.Doors[0].Endpoint.Port), "the server", static () => TimeSpan.Zero);

    private static int[] ServersOf(int bench) => [.. Process.GetProcesses().Select(static process => process.Id).Where(id =>
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{id}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture) == bench;
        }
        catch (IOException)
        {
            return false;
        }
    })];

    private static void AssertOneLine(int code, string part, params string[] options)
    {
        Ended ended = Doorbells.Run("native", "", ["bench", "models", .. options]);
        Assert.Equal((code, ""), (ended.ExitCode, ended.Output));
        Assert.StartsWith("doorbell: ", ended.Error, StringComparison.Ordinal);
        Assert.Contains(part, ended.Error, StringComparison.Ordinal);
        Assert.Equal(1, ended.Error.Count(static c => c == '\n'));
    }
}
