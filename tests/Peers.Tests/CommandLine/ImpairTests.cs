using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Doorbell.Links;

namespace Doorbell.Tests;

/// <summary><c>doorbell impair</c> as a user runs it, between the command's own client and server.</summary>
public sealed class ImpairTests
{
    public static TheoryData<string> Both => Doorbells.Both;

    [Theory]
    [MemberData(nameof(Both))]
    public void Without_faults_questions_and_answers_pass_unchanged(string kind) => Through(kind, [], (proxy, _) =>
    {
        string question = new('x', 8000);
        Ended asked = Doorbells.Run(kind, question + "\ntwo\n", "ask", proxy.ToString());
        Assert.Equal(new Ended(0, $"FROM SERVER: {question.ToUpperInvariant()}\nFROM SERVER: TWO\n", ""), asked);
    }, summary =>
    {
        Assert.Equal(2, summary.GetProperty("clients").GetInt64());
        foreach (JsonElement way in new[] { summary.GetProperty("up"), summary.GetProperty("down") })
        {
            Assert.Equal((2, 2, 0), (Count(way, "received"), Count(way, "forwarded"), Dropped(way)));
        }
    });

    [Theory]
    [MemberData(nameof(Both))]
    public void What_is_all_lost_is_never_answered_and_counted_by_its_cause(string kind) => Through(kind, ["--loss", "100%"], (proxy, _) =>
    {
        Ended asked = Doorbells.Run(kind, "", "ask", proxy.ToString(), "hello", "--timeout", "1.5", "--tries", "2");
        Assert.Equal((1, ""), (asked.ExitCode, asked.Output));
        Assert.Contains("no answer within 1.5 s to 2 tries", asked.Error, StringComparison.Ordinal);
    }, summary =>
    {
        JsonElement up = summary.GetProperty("up");
        Assert.Equal((2, 0, 2), (Count(up, "received"), Count(up, "forwarded"), Count(up.GetProperty("dropped"), "loss")));
        Assert.Equal(0, Count(summary.GetProperty("down"), "received"));
    });

    [Theory]
    [MemberData(nameof(Both))]
    public void One_direction_alone_is_impaired(string kind) => Through(kind, ["--loss", "100%", "--only", "down"], (proxy, _) =>
        Assert.Equal(1, Doorbells.Run(kind, "", "ask", proxy.ToString(), "hello", "--timeout", "1.5", "--tries", "1").ExitCode),
        summary =>
        {
            Assert.Equal((1, 0), (Count(summary.GetProperty("up"), "forwarded"), Dropped(summary.GetProperty("up"))));
            Assert.Equal((0, 1), (Count(summary.GetProperty("down"), "forwarded"), Dropped(summary.GetProperty("down"))));
        });

    [Fact]
    public void Of_more_clients_than_it_remembers_all_are_answered_and_the_longest_idle_go()
    {
        const int Clients = 1030;
        Through("native", [], (proxy, _) =>
        {
            byte[] answer = new byte[100];
            List<Socket> clients = [];
            for (int i = 0; i < Clients; i++)
            {
                Socket client = Client(proxy);
                clients.Add(client);
                client.Send([(byte)('a' + (i % 26))]);
                Assert.Equal((1, (byte)('A' + (i % 26))), (client.Receive(answer), answer[0]));
            }

            clients.ForEach(static client => client.Dispose());
        }, summary => Assert.Equal(
            (Clients, Clients - 1024), (summary.GetProperty("clients").GetInt64(), summary.GetProperty("clientsEvicted").GetInt64())));
    }

    [Fact]
    public void Each_direction_has_its_own_value() => Through("native", ["--duplicate", "100%/off", "--loss", "off/100%"], (proxy, _) =>
        Assert.Equal(1, Doorbells.Run("native", "", "ask", proxy.ToString(), "hello", "--timeout", "1.5", "--tries", "1").ExitCode),
        summary =>
        {
            Assert.Equal((2, 0), (Count(summary.GetProperty("up"), "forwarded"), Dropped(summary.GetProperty("up"))));
            Assert.Equal((0, 2), (Count(summary.GetProperty("down"), "forwarded"), Dropped(summary.GetProperty("down"))));
        });

    [Theory]
    [MemberData(nameof(Both))]
    public void What_is_all_doubled_arrives_twice(string kind) => Through(kind, ["--duplicate", "100%"], (proxy, _) =>
    {
        using Socket client = Client(proxy);
        byte[] answer = new byte[100];
        client.Send("a"u8);
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal((byte)'A', answer[client.Receive(answer) - 1]);
        }
    }, summary =>
    {
        JsonElement up = summary.GetProperty("up");
        JsonElement down = summary.GetProperty("down");
        Assert.Equal((1, 2, 1), (Count(up, "received"), Count(up, "forwarded"), Count(up, "duplicated")));
        Assert.Equal((2, 4, 2), (Count(down, "received"), Count(down, "forwarded"), Count(down, "duplicated")));
    });

    [Theory]
    [MemberData(nameof(Both))]
    public void A_delay_is_waited_out_in_each_direction(string kind) => Through(kind, ["--delay", "50ms"], (proxy, _) =>
    {
        using Socket client = Client(proxy);
        long began = Stopwatch.GetTimestamp();
        client.Send("a"u8);
        Assert.Equal(1, client.Receive(new byte[100]));
        Assert.True(Stopwatch.GetElapsedTime(began) >= TimeSpan.FromMilliseconds(100), $"{Stopwatch.GetElapsedTime(began)}");
    }, static summary => Assert.Equal(0, Dropped(summary.GetProperty("up")) + Dropped(summary.GetProperty("down"))));

    [Theory]
    [MemberData(nameof(Both))]
    public void The_fates_are_those_of_a_link_with_the_same_seed(string kind)
    {
        const int Datagrams = 200;
        Link link = new(new LinkOptions { Loss = 0.3, Duplicate = 0.2 }, seed: 7);
        int[] arrivals = [.. Enumerable.Range(0, Datagrams).Select(_ => link.Next(TimeSpan.Zero, 1).Arrivals)];
        Through(kind, ["--loss", "30%", "--duplicate", "20%", "--seed", "7", "--only", "up"], (proxy, server) =>
        {
            // The server is a socket of the test's, so that it sees what arrives.
            using Socket client = Client(proxy);
            byte[] arrived = new byte[100];
            for (int i = 0; i < Datagrams; i++)
            {
                client.Send([(byte)i]);
                for (int j = 0; j < arrivals[i]; j++)
                {
                    Assert.Equal((1, (byte)i), (server.Receive(arrived), arrived[0]));
                }
            }
        }, summary => Assert.Equal(arrivals.Sum(), Count(summary.GetProperty("up"), "forwarded")), serves: false);
    }

    [Fact]
    public void Where_nobody_listens_it_says_so_once()
    {
        using Socket gone = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        gone.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        string upstream = $"udp://{gone.LocalEndPoint}";
        gone.Dispose();
        using Program proxy = Doorbells.Start("native", "impair", "udp://127.0.0.1:0", upstream);
        using Socket client = Client(Where(proxy.WaitForLine("impairing ")));
        client.Send("a"u8);
        proxy.WaitForError("ECONNREFUSED (Connection refused); nothing listens on that port");
        client.Send("b"u8);
        proxy.Signal("TERM");
        Ended ended = proxy.WaitForEnd();
        Assert.Equal((0, 1), (ended.ExitCode, ended.Error.Count(static c => c == '\n')));
    }

    [Theory]
    [InlineData("--loss takes a percentage from 0% to 100%", "udp://127.0.0.1:0", "udp://127.0.0.1:9", "--loss", "110%")]
    [InlineData("--corrupt takes a percentage from 0% to 100%", "udp://127.0.0.1:0", "udp://127.0.0.1:9", "--corrupt", "0.1")]
    [InlineData("--loss takes a percentage from 0% to 100%", "udp://127.0.0.1:0", "udp://127.0.0.1:9", "--loss=-Infinity%")]
    [InlineData("--burst-loss takes a percentage below 100%", "udp://127.0.0.1:0", "udp://127.0.0.1:9", "--burst-loss", "90%,2")]
    [InlineData("--delay takes a time of at most an hour", "udp://127.0.0.1:0", "udp://127.0.0.1:9", "--delay", "61m")]
    [InlineData("--rate takes bits a second", "udp://127.0.0.1:0", "udp://127.0.0.1:9", "--rate", "fast")]
    [InlineData("--mtu takes a number from 68", "udp://127.0.0.1:0", "udp://127.0.0.1:9", "--mtu", "67")]
    [InlineData("is no profile: give one of wifi", "udp://127.0.0.1:0", "udp://127.0.0.1:9", "--like", "modem")]
    [InlineData("--only takes up or down", "udp://127.0.0.1:0", "udp://127.0.0.1:9", "--only", "left")]
    [InlineData("between udp:// endpoints", "tcp://127.0.0.1:0", "udp://127.0.0.1:9")]
    [InlineData("between udp:// endpoints", "unix+dgram:///tmp/a", "unix+dgram:///tmp/b")]
    [InlineData("udp:// alone; tcp:// and unix:// have --delay, --jitter", "tcp://127.0.0.1:0", "tcp://127.0.0.1:9", "--loss", "1%")]
    [InlineData("UPSTREAM is LISTEN itself", "udp://localhost:48999", "udp://127.0.0.1:48999")]
    [InlineData("UPSTREAM is LISTEN itself", "tcp://127.0.0.1:48999", "tcp://127.0.0.1:48999")]
    [InlineData("UPSTREAM is LISTEN itself", "tcp://*:48997", "tcp://127.0.0.1:48997")]
    [InlineData("UPSTREAM is LISTEN itself", "udp://0.0.0.0:48997", "udp://localhost:48997")]
    [InlineData("--mtu is for datagrams", "unix:///tmp/a", "tcp://127.0.0.1:9", "--mtu", "off")]
    [InlineData("tcp:// and unix:// alone; udp:// has --loss", "udp://127.0.0.1:0", "udp://127.0.0.1:9", "--stall", "1")]
    [InlineData("--delay takes a time", "udp://127.0.0.1:0", "udp://127.0.0.1:9", "--delay", "1ms/2ms/3ms")]
    [InlineData("--delay takes a time", "udp://127.0.0.1:0", "udp://127.0.0.1:9", "--delay=-Infinity")]
    [InlineData("--jitter takes a time", "udp://127.0.0.1:0", "udp://127.0.0.1:9", "--jitter", "1ms,pareto")]
    [InlineData("--slice takes bytes from 1 on", "tcp://127.0.0.1:0", "tcp://127.0.0.1:9", "--slice", "0")]
    [InlineData("--half-open takes on or off", "tcp://127.0.0.1:0", "tcp://127.0.0.1:9", "--half-open", "yes")]
    [InlineData("--control takes a unix socket", "tcp://127.0.0.1:0", "tcp://127.0.0.1:9", "--control", "tcp://127.0.0.1:0")]
    public void Wrong_usage_is_one_line_that_says_what_to_do(string says, params string[] arguments)
    {
        Ended ended = Doorbells.Run("native", "", ["impair", .. arguments]);
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(says, Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    /// <summary>Does something through a proxy to a server, and looks at the proxy's summary.</summary>
    private static void Through(
        string kind, string[] options, Action<Endpoint, Socket> act, Action<JsonElement> check, bool serves = true)
    {
        using Socket own = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 20_000 };
        own.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        (Program Server, Endpoint Endpoint)? server = serves ? Doorbells.Serve(kind, "udp://127.0.0.1:0") : null;
        using (server?.Server)
        {
            string upstream = server?.Endpoint.ToString() ?? $"udp://{own.LocalEndPoint}";
            using Program proxy = Doorbells.Start(kind, ["impair", "udp://127.0.0.1:0", upstream, "--json", .. options]);
            using JsonDocument listening = JsonDocument.Parse(proxy.WaitForLine("\"listening\""));
            act(Endpoint.Parse(listening.RootElement.GetProperty("endpoint").GetString()!), own);
            proxy.Signal("TERM");
            Ended ended = proxy.WaitForEnd();
            Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
            using JsonDocument summary = JsonDocument.Parse(ended.Output.TrimEnd().Split('\n')[^1]);
            check(summary.RootElement);
        }
    }

    private static Endpoint Where(string line) => Endpoint.Parse(line[(line.LastIndexOf(' ') + 1)..]);

    private static Socket Client(Endpoint proxy)
    {
        Socket client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 20_000 };
        client.Connect(IPAddress.Loopback, proxy.Port);
        return client;
    }

    private static long Count(JsonElement way, string name) => way.GetProperty(name).GetInt64();

    private static long Dropped(JsonElement way) =>
        way.GetProperty("dropped").EnumerateObject().Sum(static cause => cause.Value.GetInt64());
}
