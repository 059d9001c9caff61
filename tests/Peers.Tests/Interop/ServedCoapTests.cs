using System.Text.Json;
using Doorbell.Coap;

namespace Doorbell.Tests;

/// <summary>libcoap's client (Debian's libcoap3-bin) asks <c>doorbell serve coap://</c>, also through <c>doorbell impair</c>.</summary>
public sealed class ServedCoapTests
{
    private const string Client = "coap-client-notls";
    private static readonly string _stranger = Path.Combine(Repository.Peers, "python", "coap_stranger.py");
    private static readonly string _long = string.Concat(Enumerable.Range(0, 3500).Select(static i => $"line {i} of a body in blocks\n"));

    public static TheoryData<string> Both => Doorbells.Both;

    [Theory]
    [MemberData(nameof(Both))]
    public void Every_service_is_a_resource_beside_the_other_endpoints(string kind)
    {
        using Program server = Doorbells.Start(kind, "serve", "coap://127.0.0.1:0", "coap://[::1]:0", "tcp://127.0.0.1:0");
        string[] coap = [.. Enumerable.Range(0, 2).Select(_ => server.WaitForLine("serving /capitalize /daytime /discard").Split(' ')[^1])];
        string tcp = server.WaitForLine("serving capitalize on ").Split(' ')[^1];
        Assert.Equal(0, Doorbells.Run(kind, "", "ask", tcp, "hello").ExitCode);
        foreach (string at in coap)
        {
            Assert.Equal(
                "</capitalize>;ct=0,</daytime>;ct=0;obs,</discard>,</echo>,</time>;ct=42;obs", Ask("-m", "get", $"{at}/.well-known/core"));
            Assert.Equal("STRASSE", Ask("-m", "post", "-e", "straße", $"{at}/capitalize"));
            Assert.Equal("hello", Ask("-N", "-m", "post", "-e", "hello", $"{at}/echo"));
            Assert.EndsWith("-UTC", Ask("-m", "get", $"{at}/daytime"), StringComparison.Ordinal);
            Assert.Contains("4.04", Ask("-m", "get", $"{at}/none"), StringComparison.Ordinal);
            Assert.Contains("4.05", Ask("-m", "get", $"{at}/capitalize"), StringComparison.Ordinal);
            Assert.Contains("4.06", Ask("-m", "get", "-A", "50", $"{at}/daytime"), StringComparison.Ordinal);
            Assert.Contains("4.15", Ask("-m", "post", "-t", "50", "-e", "{}", $"{at}/capitalize"), StringComparison.Ordinal);
        }

        server.Signal("TERM");
        Ended ended = server.WaitForEnd();
        Assert.Contains("served 1 connections, 17 requests, 16 datagrams", ended.Output, StringComparison.Ordinal);
        Assert.Contains(" 0 errors", ended.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("runtime", "confirmable")]
    [InlineData("native", "confirmable")]
    [InlineData("runtime", "non-confirmable")]
    [InlineData("native", "non-confirmable")]
    public void A_hundred_thousand_bytes_go_and_come_in_blocks(string kind, string type)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve(kind, "coap://127.0.0.1:0");
        using (server)
        {
            Assert.Equal(_long.ToUpperInvariant(), AskLong(endpoint, type == "confirmable" ? [] : ["-N"]));
            Assert.True(_long.Length > 100_000);
        }
    }

    [Fact]
    public void Blocks_may_be_as_small_as_the_client_wants()
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "coap://127.0.0.1:0");
        using (server)
        {
            Assert.Equal(_long.ToUpperInvariant(), AskLong(endpoint, ["-b", "256"]));
        }
    }

    [Fact]
    public void One_service_named_is_the_only_resource()
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "echo", "coap://127.0.0.1:0");
        using (server)
        {
            Assert.Equal("</echo>", Ask("-m", "get", $"{endpoint}/.well-known/core"));
        }
    }

    [Fact]
    public void Small_questions_are_answered_though_every_fifth_datagram_is_lost() => ThroughLoss("20%", 11, static endpoint =>
    {
        for (int i = 0; i < 6; i++)
        {
            string answer = Ask("-m", "post", "-e", $"question {i}", $"{endpoint}/capitalize");
            Assert.EndsWith($"QUESTION {i}", answer, StringComparison.Ordinal);
        }
    });

    [Fact]
    public void A_body_in_blocks_comes_whole_though_datagrams_are_lost() => ThroughLoss("2%", 3, static endpoint =>
        Assert.Equal(_long[..40_000].ToUpperInvariant(), AskLong(endpoint, [], 40_000)));

    [Fact]
    public void A_client_whose_address_could_be_forged_proves_it_by_itself()
    {
        Ended asked = Program.Run("unshare", ["--net", "--map-root-user", "python3", _stranger, Doorbells.File("native")]);
        Assert.True(asked.ExitCode == 0, asked.Output + asked.Error);
        Assert.Contains(" 0 errors", asked.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("service capitalize at coap://127.0.0.1:0 keeps its state in one process", "coap://127.0.0.1:0", "--model", "prefork")]
    [InlineData("a server's endpoint has no path", "coap://127.0.0.1/capitalize")]
    public void What_makes_no_sense_is_one_line(string says, params string[] arguments)
    {
        Ended ended = Doorbells.Run("native", "", ["serve", .. arguments]);
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(
            says, Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void A_program_is_no_resource()
    {
        Ended ended = Doorbells.Run("native", "", "serve", "coap://127.0.0.1:0", "--shell", "cat");
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("does not speak CoAP", ended.Error, StringComparison.Ordinal);
    }

    private static string Ask(params string[] arguments)
    {
        Ended ended = Program.Run(Client, ["-B", "25", .. arguments]);
        return (ended.Output + ended.Error).Trim();
    }

    private static string AskLong(Endpoint endpoint, string[] options, int length = int.MaxValue)
    {
        string question = Path.GetTempFileName();
        string answer = Path.GetTempFileName();
        try
        {
            File.WriteAllText(question, _long[..Math.Min(length, _long.Length)]);
            Ask([.. options, "-m", "post", "-f", question, "-o", answer, $"{endpoint}/capitalize"]);
            return File.ReadAllText(answer);
        }
        finally
        {
            File.Delete(question);
            File.Delete(answer);
        }
    }

    /// <summary>The seed makes the fates, not the moments, the same each time.</summary>
    private static void ThroughLoss(string loss, int seed, Action<Endpoint> act)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "coap://127.0.0.1:0");
        using (server)
        {
            using Program proxy = Doorbells.Start(
                "native", "impair", "udp://127.0.0.1:0", $"udp://127.0.0.1:{endpoint.Port}", "--json", "--loss", loss, "--seed", $"{seed}");
            using JsonDocument listening = JsonDocument.Parse(proxy.WaitForLine("\"listening\""));
            Endpoint door = Endpoint.Parse(listening.RootElement.GetProperty("endpoint").GetString()!);
            act(Endpoint.Parse($"coap://127.0.0.1:{door.Port}", [CoapService.Scheme]));
            proxy.Signal("TERM");
            using JsonDocument summary = JsonDocument.Parse(proxy.WaitForEnd().Output.TrimEnd().Split('\n')[^1]);
            Assert.True(Lost(summary, "up") + Lost(summary, "down") > 0);
        }
    }

    private static long Lost(JsonDocument summary, string way) =>
        summary.RootElement.GetProperty(way).GetProperty("dropped").GetProperty("loss").GetInt64();
}
