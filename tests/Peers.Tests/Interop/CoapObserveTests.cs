using System.Text.Json;
using System.Text.RegularExpressions;

namespace Doorbell.Tests;

/// <summary>
/// Observing (RFC 7641): libcoap's client observes <c>doorbell serve</c>, <c>doorbell ask --observe</c> observes libcoap's server, and each
/// other.
/// </summary>
public sealed partial class CoapObserveTests
{
    public static TheoryData<string> Both => Doorbells.Both;

    [Theory]
    [MemberData(nameof(Both))]
    public void Libcoaps_client_is_told_the_time_each_second(string kind)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve(kind, "daytime", "coap://127.0.0.1:0");
        using (server)
        {
            Ended asked = Program.Run("coap-client-notls", ["-w", "-m", "get", "-s", "4", $"{endpoint}/daytime"]);
            string[] times = asked.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.InRange(times.Length, 3, 6);
            Assert.Equal(times.Length, times.Distinct().Count());
            server.Signal("TERM");
            Assert.Contains(" 0 observations refused, 0 given up", server.WaitForEnd().Output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Ask_prints_so_many_states(string kind)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "daytime", "coap://127.0.0.1:0");
        using (server)
        {
            Ended asked = Doorbells.Run(kind, "", "ask", "--observe", "--count", "3", $"{endpoint}/daytime");
            Assert.Equal((0, ""), (asked.ExitCode, asked.Error));
            Assert.Matches(@"^(FROM SERVER: .*-UTC\n){3}$", asked.Output);
            Assert.Equal(3, asked.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Count());
        }
    }

    [Fact]
    public void Ask_observes_libcoaps_server_and_sees_what_another_client_changes()
    {
        int port = Ports.Free("udp");
        using Program server = Program.Start("coap-server-notls", "-A", "127.0.0.1", "-p", $"{port}", "-d", "10");
        Ports.WaitUntilServed("udp", port);
        string data = $"coap://127.0.0.1:{port}/example_data";
        Put(data, "zero");
        using Program observer = Doorbells.Start("native", "ask", "--observe", "--count", "3", "--json", data);
        Assert.Equal("zero", Reply(observer.WaitForLine("reply")));
        Put(data, "one");
        Assert.Equal("one", Reply(observer.WaitForLine("reply")));
        Put(data, new string('2', 3000));
        Assert.Equal(new string('2', 3000), Reply(observer.WaitForLine("reply")));
        Assert.Equal(0, observer.WaitForEnd().ExitCode);
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void A_signal_ends_it_and_the_server_is_told(string signal)
    {
        int port = Ports.Free("udp");
        using Program server = Program.Start("coap-server-notls", "-A", "127.0.0.1", "-p", $"{port}", "-v", "8");
        Ports.WaitUntilServed("udp", port);
        using Program observer = Doorbells.Start("native", "ask", "--observe", $"coap://127.0.0.1:{port}/time");
        observer.WaitForLine("FROM SERVER");
        observer.WaitForLine("FROM SERVER");
        observer.Signal(signal);
        Ended ended = observer.WaitForEnd();
        Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
        server.Signal("TERM");
        Ended told = server.WaitForEnd();
        Assert.Matches(Ending(), told.Output + told.Error);
    }

    [Fact]
    public void The_time_ends_it()
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "daytime", "coap://127.0.0.1:0");
        using (server)
        {
            Ended asked = Doorbells.Run("native", "", "ask", "--observe", "--timeout", "2500ms", "--raw", $"{endpoint}/daytime");
            Assert.Equal((0, ""), (asked.ExitCode, asked.Error));
            Assert.InRange(asked.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length, 2, 4);
        }
    }

    [Fact]
    public void Errors_are_one_line_that_says_what_to_do()
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "coap://127.0.0.1:0");
        using (server)
        {
            AssertFails(1, "4.04 Not Found", "--observe", $"{endpoint}/none");
            AssertFails(1, "does not tell changes; `doorbell ask --method GET` asks once", "--observe", $"{endpoint}/.well-known/core");
            AssertFails(2, "--observe asks by GET", "--observe", $"{endpoint}/time", "text");
            long began = System.Diagnostics.Stopwatch.GetTimestamp();
            AssertFails(1, "of 9 states came within 1 s", "--observe", "--count", "9", "--timeout", "1", $"{endpoint}/time");
            Assert.True(System.Diagnostics.Stopwatch.GetElapsedTime(began).TotalSeconds < 4);
            AssertFails(2, "--observe asks by GET", "--observe", "--method", "PUT", $"{endpoint}/time");
            AssertFails(2, "--count is for --observe", "--count", "3", "--method", "GET", $"{endpoint}/time");
            AssertFails(2, "--observe is for coap:// endpoints", "--observe", "tcp://localhost:1");
            AssertFails(2, "--observe takes one server", "--observe", "coap://224.0.1.187/time");
        }

        int silent = Ports.Free("udp");
        using System.Net.Sockets.UdpClient nobody = new(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, silent));
        AssertFails(1, "no answer within 0.3 s", "--observe", "--timeout", "300ms", $"coap://127.0.0.1:{silent}/time");
    }

    [Fact]
    public void States_arrive_though_every_fifth_datagram_is_lost()
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "daytime", "coap://127.0.0.1:0");
        using (server)
        {
            using Program proxy = Doorbells.Start(
                "native", "impair", "udp://127.0.0.1:0", $"udp://127.0.0.1:{endpoint.Port}", "--json", "--loss", "20%", "--seed", "5");
            using JsonDocument listening = JsonDocument.Parse(proxy.WaitForLine("\"listening\""));
            string through = "coap" + listening.RootElement.GetProperty("endpoint").GetString()![3..];
            Ended asked = Doorbells.Run("native", "", "ask", "--observe", "--count", "5", "--raw", $"{through}/daytime");
            Assert.Equal((0, ""), (asked.ExitCode, asked.Error));
            Assert.Equal(5, asked.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Count());
        }
    }

    private static void AssertFails(int exitCode, string why, params string[] arguments)
    {
        Ended ended = Doorbells.Run("native", "", ["ask", .. arguments]);
        Assert.Equal(exitCode, ended.ExitCode);
        Assert.Contains(why, Assert.Single(ended.Error.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    private static string Reply(string line)
    {
        using JsonDocument json = JsonDocument.Parse(line);
        return json.RootElement.GetProperty("reply").GetString()!;
    }

    private static void Put(string resource, string state)
    {
        Ended put = Program.Run("coap-client-notls", ["-m", "put", "-f", "-", resource], state);
        Assert.Equal(0, put.ExitCode);
    }

    /// <summary>The request that ends it, as libcoap's log shows it.</summary>
    [GeneratedRegex("c:GET.*Observe:1[ ,].*Uri-Path:time")]
    private static partial Regex Ending();
}
