using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Doorbell.Tests;

/// <summary>
/// CoAP over TCP (RFC 8323): libcoap's client asks and observes <c>doorbell serve coap+tcp://</c>, and <c>doorbell ask</c> asks libcoap's
/// server.
/// </summary>
public sealed partial class CoapTcpTests
{
    private const string Client = "coap-client-notls";
    private static readonly string _long = string.Concat(Enumerable.Range(0, 3500).Select(static i => $"line {i} of a long body\n"));

    /// <summary>One line: each would be a question of its own.</summary>
    private static readonly string _text = _long.Replace('\n', ' ');

    public static TheoryData<string> Both => Doorbells.Both;

    [Theory]
    [MemberData(nameof(Both))]
    public void Libcoaps_client_asks_all_services(string kind)
    {
        (Program server, string at) = Serve(kind);
        using (server)
        {
            Assert.Equal(
                "</capitalize>;ct=0,</daytime>;ct=0;obs,</discard>,</echo>,</time>;ct=42;obs", Ask("-m", "get", $"{at}/.well-known/core"));
            Assert.Equal("STRASSE", Ask("-m", "post", "-e", "straße", $"{at}/capitalize"));
            Assert.EndsWith("-UTC", Ask("-m", "get", $"{at}/daytime"), StringComparison.Ordinal);
            Assert.Contains("4.04", Ask("-m", "get", $"{at}/none"), StringComparison.Ordinal);
            Assert.Contains("4.05", Ask("-m", "get", $"{at}/capitalize"), StringComparison.Ordinal);
            Assert.Contains("4.02", Ask("-m", "get", "-O", "2049,0x01", $"{at}/daytime"), StringComparison.Ordinal);
            server.Signal("TERM");
            Ended ended = server.WaitForEnd();
            Assert.Contains("served 6 connections, 6 requests, 0 datagrams", ended.Output, StringComparison.Ordinal);
            Assert.Contains(" 0 errors", ended.Output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData]
    [InlineData("-b", "256")]
    public void Libcoaps_client_moves_a_hundred_thousand_bytes_both_ways(params string[] options)
    {
        string question = Path.GetTempFileName();
        string answer = Path.GetTempFileName();
        (Program server, string at) = Serve("native");
        using (server)
        {
            try
            {
                File.WriteAllText(question, _long);
                Ask([.. options, "-m", "post", "-f", question, "-o", answer, $"{at}/capitalize"]);
                Assert.Equal(_long.ToUpperInvariant(), File.ReadAllText(answer));
            }
            finally
            {
                File.Delete(question);
                File.Delete(answer);
            }
        }
    }

    [Fact]
    public void Libcoaps_client_is_told_the_time_each_second()
    {
        (Program server, string at) = Serve("native");
        using (server)
        {
            Ended asked = Program.Run(Client, ["-w", "-m", "get", "-s", "4", $"{at}/daytime"]);
            string[] times = asked.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.InRange(times.Length, 3, 6);
            Assert.Equal(times.Length, times.Distinct().Count());
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Ask_asks_our_server_and_observes_it(string kind)
    {
        (Program server, string at) = Serve("native");
        using (server)
        {
            Assert.Equal("FROM SERVER: HELLO\n", Answer(kind, "", $"{at}/capitalize", "hello"));
            Assert.Equal("ONE\nTWO\n", Answer(kind, "one\ntwo\n", "--raw", $"{at}/capitalize"));
            Assert.Equal(_text.ToUpperInvariant(), Answer(kind, "", "--raw", $"{at}/capitalize", _text).TrimEnd('\n'));
            Assert.Matches(States(), Answer(kind, "", "--observe", "--count", "3", $"{at}/daytime"));
        }
    }

    [Fact]
    public void Ask_asks_libcoaps_server_and_sees_what_another_client_changes() => WithLibcoap((_, at) =>
    {
        Assert.Contains("</time>", Answer("native", "", "--method", "GET", $"{at}/.well-known/core"), StringComparison.Ordinal);
        string data = $"{at}/example_data";
        Answer("native", "", "--method", "PUT", data, "zero");
        using Program observer = Doorbells.Start("native", "ask", "--observe", "--count", "3", data);
        observer.WaitForLine("FROM SERVER: zero");
        Answer("native", "", "--method", "PUT", data, "one");
        observer.WaitForLine("FROM SERVER: one");
        Answer("native", "", "--method", "PUT", data, _text);
        observer.WaitForLine("FROM SERVER: line 0");
        Assert.Equal(0, observer.WaitForEnd().ExitCode);
        Assert.Equal(_text, Answer("native", "", "--raw", "--method", "GET", data).TrimEnd('\n'));
    });

    [Fact]
    public void A_signal_ends_it_and_the_server_is_told() => WithLibcoap((server, at) =>
    {
        using Program observer = Doorbells.Start("native", "ask", "--observe", $"{at}/time");
        observer.WaitForLine("FROM SERVER");
        observer.WaitForLine("FROM SERVER");
        observer.Signal("TERM");
        Ended ended = observer.WaitForEnd();
        Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
        server.Signal("TERM");
        Ended told = server.WaitForEnd();
        Assert.Matches(Ending(), told.Output + told.Error);
    });

    [Fact]
    public void A_server_that_speaks_something_else_is_one_line()
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        string at = $"coap+tcp://127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port}/x";
        using Program asking = Doorbells.Start("native", "ask", at, "text");
        using Socket accepted = listener.Accept();
        accepted.Send("HTTP/1.1 400 Bad Request\r\n\r\n"u8);
        Ended ended = asking.WaitForEnd();
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains(
            "look what listens there", Assert.Single(ended.Error.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_that_is_too_large_is_aborted_before_it_has_come()
    {
        (Program server, string at) = Serve("native");
        using (server)
        {
            using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 };
            client.Connect(IPAddress.Loopback, new Uri(at.Replace("coap+tcp", "http", StringComparison.Ordinal)).Port);
            client.Send([0x00, 0xe1, 0xf0, 0x7f, 0, 0, 0]);
            using NetworkStream stream = new(client);
            using MemoryStream received = new();
            stream.CopyTo(received);
            Assert.Contains("larger than Max-Message-Size", Encoding.UTF8.GetString(received.ToArray()), StringComparison.Ordinal);
        }
    }

    [GeneratedRegex(@"\A(FROM SERVER: .*-UTC\n){3}\z")]
    private static partial Regex States();

    /// <summary>libcoap's server shows the GET with Observe 1.</summary>
    [GeneratedRegex("c:GET.*Observe:1[ ,].*Uri-Path:time")]
    private static partial Regex Ending();

    private static (Program Server, string At) Serve(string kind)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve(kind, "coap+tcp://127.0.0.1:0");
        return (server, $"coap+tcp://127.0.0.1:{endpoint.Port}");
    }

    private static string Ask(params string[] arguments)
    {
        Ended ended = Program.Run(Client, ["-B", "25", .. arguments]);
        return (ended.Output + ended.Error).Trim();
    }

    private static string Answer(string kind, string input, params string[] arguments)
    {
        Ended ended = Doorbells.Run(kind, input, ["ask", .. arguments]);
        Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
        return ended.Output;
    }

    private static void WithLibcoap(Action<Program, string> ask)
    {
        int port = Ports.Free("tcp");
        using Program server = Program.Start("coap-server-notls", "-A", "127.0.0.1", "-p", $"{port}", "-d", "10", "-v", "8");
        Ports.WaitUntilServed("tcp", port);
        ask(server, $"coap+tcp://127.0.0.1:{port}");
    }
}
