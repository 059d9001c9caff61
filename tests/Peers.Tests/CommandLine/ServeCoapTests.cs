using System.Text.Json;

namespace Doorbell.Tests;

/// <summary>What <c>serve</c> tells of its <c>coap://</c> endpoints who runs it.</summary>
public sealed class ServeCoapTests
{
    /// <summary>Five blocks of 1,024 bytes, each a message of its own, all from one port and so to one of the sockets.</summary>
    private static readonly string _body = new('x', 5 * 1024);

    public static TheoryData<string> Both => Doorbells.Both;

    [Theory]
    [MemberData(nameof(Both))]
    public void A_cache_that_is_too_small_is_said_with_what_to_do_and_counted_at_the_end(string kind)
    {
        using Program server = Doorbells.Start(
            kind, "serve", "coap://127.0.0.1:0", "--model", "loop", "--workers", "1", "--coap-exchanges", "2");
        string at = server.WaitForLine("serving /capitalize").Split(' ')[^1];
        Ask(kind, at);
        server.Signal("TERM");
        Ended ended = server.WaitForEnd();
        Assert.Equal(0, ended.ExitCode);
        string line = Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("CoAP: 3 requests were forgotten early, since each socket remembers 2:", line, StringComparison.Ordinal);
        Assert.Contains("could have a second effect. Remember more with --coap-exchanges", line, StringComparison.Ordinal);
        Assert.Contains(
            " 0 errors; CoAP: 3 requests forgotten early, 0 challenged, 0 answers not sent, 0 bodies refused, 0 forgotten, 0 timed out, "
                + "0 answers unacknowledged, 0 observations refused, 0 given up",
            ended.Output.TrimEnd().Split('\n')[^1],
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3, "--coap-exchanges", "2")]
    [InlineData(0, "--coap-exchanges", "5")]
    [InlineData(0)]
    public void The_summary_has_the_counts_as_json(int evicted, params string[] size)
    {
        using Program server = Doorbells.Start(
            "native", ["serve", "coap://127.0.0.1:0", "--model", "loop", "--workers", "1", "--json", .. size]);
        using JsonDocument listening = JsonDocument.Parse(server.WaitForLine("\"listening\""));
        Ask("native", listening.RootElement.GetProperty("endpoint").GetString()!);
        server.Signal("TERM");
        Ended ended = server.WaitForEnd();
        Assert.Equal(evicted > 0, ended.Error.Contains("forgotten early", StringComparison.Ordinal));
        using JsonDocument summary = JsonDocument.Parse(ended.Output.TrimEnd().Split('\n')[^1]);
        Assert.Equal(
            $$"""{"evictedExchanges":{{evicted}},"challenges":0,"unsent":0,"refusedBodies":0"""
                + ""","evictedBodies":0,"timedOutBodies":0,"unacknowledgedAnswers":0,"refusedObservations":0,"lostObservations":0}""",
            summary.RootElement.GetProperty("coap").GetRawText());
    }

    [Fact]
    public void Without_a_coap_endpoint_there_are_no_counts_of_it()
    {
        using Program server = Doorbells.Start("native", "serve", "udp://127.0.0.1:0", "--json");
        server.WaitForLine("\"listening\"");
        server.Signal("TERM");
        Assert.DoesNotContain("coap", server.WaitForEnd().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cache_of_nothing_is_refused()
    {
        Ended ended = Doorbells.Run("native", "", "serve", "coap://127.0.0.1:0", "--coap-exchanges", "0");
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains("--coap-exchanges takes a whole number from 1 to", ended.Error, StringComparison.Ordinal);
    }

    private static void Ask(string kind, string at)
    {
        Ended asked = Doorbells.Run(kind, _body, "ask", "--raw", $"{at}/discard");
        Assert.True(asked.ExitCode == 0, asked.Error);
    }
}
