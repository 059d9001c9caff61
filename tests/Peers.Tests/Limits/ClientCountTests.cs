using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Doorbell.Tests;

/// <summary>
/// What clients have counted is what the command's summary says, as text and as JSON: under every server model, over every transport, for
/// a service and for a program, and when processes are killed in the middle of their work.
/// </summary>
public sealed partial class ClientCountTests
{
    private const int Clients = 4;
    private const int Kills = 4;

    /// <summary>It says which process it is, and sends back what comes.</summary>
    private const string TellsItself = "echo $$; exec cat";

    private static readonly string[] _models =
        ["iterative", "process", "prefork", "thread", "pool", "async", "loop/epoll", "loop/io_uring"];

    /// <summary>Another at each run; what fails names it.</summary>
    private static int Seed { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("STORM_SEED"), out int seed) ? seed : Random.Shared.Next();

    public static TheoryData<string, string, bool> Streams => All(["tcp", "unix"], ["tcp program", "unix program"]);

    public static TheoryData<string, string, bool> Datagrams => All(["udp", "unix+dgram"], ["udp program", "unix+dgram program"]);

    [Theory]
    [MemberData(nameof(Streams))]
    public void Connections_and_bytes_of_streams(string place, string model, bool json)
    {
        using CountingServer server = CountingServer.Start(place, model, json: json, service: "echo", program: TellsItself);
        Visitors visitors = new(server, isProgram: place.EndsWith("program", StringComparison.Ordinal), Seed);
        Parallel.For(0, Clients, new ParallelOptions { MaxDegreeOfParallelism = Clients }, visitors.Come);
        if (model is "process" or "prefork")
        {
            for (int i = 0; i < Kills; i++)
            {
                visitors.ComeAndKill(model);
            }
        }

        Dictionary<string, long> said = Said(server.End(), json);
        string all = $"{visitors}; the server: {string.Join(", ", said)} (seed {Seed})";
        Assert.True(visitors.Connections == said["connections"], all);
        Assert.True(visitors.Killed == said["processesLost"], all);

        // Over a unix socket nobody is told of a reset that cuts off nothing.
        Assert.True(said["errors"] - visitors.Killed is var resets && resets >= 0 && resets <= visitors.Resets, all);
        if (place == "unix program")
        {
            Assert.True(said["bytesReceived"] == 0 && said["bytesSent"] == 0, all);
        }
        else
        {
            Assert.True(said["bytesReceived"] <= visitors.Sent && said["bytesReceived"] >= visitors.Sent - visitors.InDoubt, all);
            Assert.True(said["bytesSent"] >= visitors.Received - visitors.InDoubt, all);
            Assert.True(said["bytesSent"] <= visitors.Received + visitors.InDoubt, all);
        }
    }

    [Theory]
    [MemberData(nameof(Datagrams))]
    public void Datagrams_and_answers(string place, string model, bool json)
    {
        bool isProgram = place.EndsWith("program", StringComparison.Ordinal);
        using CountingServer server = CountingServer.Start(
            place, model, json: json, service: "echo", program: "read line; [ $line = die ] && kill -9 $$; echo $line");
        using DatagramCaller caller = new(server.Endpoint);
        Random random = new(Seed);
        long bytes = 0;
        int answered = 0;
        int killed = 0;
        for (int i = 0; i < (isProgram ? 12 : 200); i++)
        {
            bool dies = isProgram && random.Next(3) == 0;
            string question = dies ? "die\n" : new string('x', random.Next(1, 1000)) + "\n";
            caller.Send(question);
            bytes += question.Length;
            killed += dies ? 1 : 0;
            if (!dies)
            {
                Assert.Equal(question, caller.Receive());
                answered++;
            }
        }

        Dictionary<string, long> said = Said(server.End(), json);
        string all = $"{answered} answered, {killed} killed, {bytes} bytes; the server: {string.Join(", ", said)} (seed {Seed})";
        Assert.True(said["datagramsReceived"] == answered + killed && said["bytesReceived"] == bytes, all);
        Assert.True(said["bytesSent"] == bytes - (4 * killed), all);
        Assert.True(said["errors"] == killed && said["processesLost"] == killed && said["connections"] == 0, all);
        Assert.True(!json || said["datagramsSent"] == answered, all);
    }

    private static TheoryData<string, string, bool> All(string[] services, string[] programs)
    {
        TheoryData<string, string, bool> all = [];
        foreach (bool json in (bool[])[true, false])
        {
            foreach (string model in _models)
            {
                Array.ForEach(services, place => all.Add(place, model, json));
            }

            Array.ForEach(programs, place => all.Add(place, "process", json));
        }

        return all;
    }

    /// <summary>The numbers of a summary, by the names that JSON gives them.</summary>
    private static Dictionary<string, long> Said(string summary, bool json)
    {
        if (json)
        {
            return JsonDocument.Parse(summary).RootElement.EnumerateObject()
                .Where(static each => each.Value.ValueKind == JsonValueKind.Number)
                .ToDictionary(static each => each.Name, static each => each.Value.GetInt64());
        }

        Match line = TextSummary().Match(summary);
        Assert.True(line.Success, summary);
        Match lost = ProcessesLost().Match(summary);
        return line.Groups.Values.Skip(1)
            .ToDictionary(static group => group.Name, static group => long.Parse(group.Value, CultureInfo.InvariantCulture))
            .Append(new("processesLost", lost.Success ? long.Parse(lost.Groups[1].Value, CultureInfo.InvariantCulture) : 0))
            .ToDictionary();
    }

    [GeneratedRegex("^served (?<connections>[0-9]+) connections?, (?<requests>[0-9]+) requests?, (?<datagramsReceived>[0-9]+) datagrams?, "
        + "(?<bytesReceived>[0-9]+) bytes? in, (?<bytesSent>[0-9]+) bytes? out, (?<errors>[0-9]+) errors?")]
    private static partial Regex TextSummary();

    [GeneratedRegex(@"[(, ]([0-9]+) process(?:es)? lost")]
    private static partial Regex ProcessesLost();
}
