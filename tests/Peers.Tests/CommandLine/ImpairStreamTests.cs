using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Doorbell.Links;

namespace Doorbell.Tests;

/// <summary><c>doorbell impair</c> between tcp:// endpoints: what each fault does to a stream, and what none does.</summary>
public sealed class ImpairStreamTests
{
    private const string Native = "native";

    public static TheoryData<string, string[]> Harmless => new()
    {
        { "runtime", [] },
        { Native, [] },
        { Native, ["--slice", "1000"] },
        { Native, ["--slice", "100/7", "--seed", "5"] },
        { Native, ["--rate", "20m/40m"] },
        { Native, ["--delay", "20ms", "--jitter", "20ms,normal", "--seed", "3"] },
        { Native, ["--like", "wifi"] },
        { Native, ["--slow-close", "100ms", "--half-open", "off", "--stall", "off", "--reset-after", "off"] },
    };

    [Theory]
    [MemberData(nameof(Harmless))]
    public async Task Nothing_is_lost_added_or_reordered_and_a_half_close_is_passed_on(string kind, string[] options)
    {
        byte[] question = new byte[300_000];
        byte[] answer = new byte[400_000];
        Random dice = new(1);
        dice.NextBytes(question);
        dice.NextBytes(answer);
        using Impaired through = new(kind, options);
        Task sending = Task.Run(() =>
        {
            through.Client.Send(question);
            through.Client.Shutdown(SocketShutdown.Send);
        }, TestContext.Current.CancellationToken);
        Assert.Equal(question, Impaired.ReadToEnd(through.Upstream));
        await sending.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        sending = Task.Run(() =>
        {
            through.Upstream.Send(answer);
            through.Upstream.Shutdown(SocketShutdown.Send);
        }, TestContext.Current.CancellationToken);
        Assert.Equal(answer, Impaired.ReadToEnd(through.Client));
        JsonElement summary = through.End("INT");
        Assert.Equal((1, 0, 0), (Count(summary, "connections"), Count(summary, "reset"), Count(summary, "resetAsAsked")));
        Assert.Equal((300_000, 300_000), Passed(summary.GetProperty("up")));
        Assert.Equal((400_000, 400_000), Passed(summary.GetProperty("down")));
    }

    [Theory]
    [InlineData("100ms/off", 100)]
    [InlineData("off/100ms", 100)]
    [InlineData("100ms", 200)]
    public void A_delay_is_waited_out_in_the_ways_it_is_for(string delay, int atLeast)
    {
        using Impaired through = new(Native, "--delay", delay);
        long began = Stopwatch.GetTimestamp();
        through.Client.Send("a"u8);
        through.Upstream.Send(Impaired.Read(through.Upstream, 1));
        Assert.Equal("a"u8, Impaired.Read(through.Client, 1));
        Assert.True(Stopwatch.GetElapsedTime(began) >= TimeSpan.FromMilliseconds(atLeast), $"{Stopwatch.GetElapsedTime(began)}");
    }

    [Fact]
    public void Jitter_is_that_of_a_link_with_the_connection_s_seed()
    {
        LinkOptions options = new()
        {
            Delay = TimeSpan.FromMilliseconds(400), Jitter = TimeSpan.FromMilliseconds(400), JitterDistribution = JitterDistribution.Normal,
        };
        static TimeSpan First(LinkOptions options, long seed) => new Link(options, seed).Next(TimeSpan.Zero, 1).ArrivesAt;

        // The second connection has the next seed.
        long seed = Enumerable.Range(1, 1000).First(seed => First(options, seed) < TimeSpan.FromMilliseconds(50)
            && First(options, seed + 1) > TimeSpan.FromMilliseconds(800));
        using Impaired through = new(Native, "--delay", "400ms/off", "--jitter", "400ms,normal/off", "--seed", $"{seed}");
        (Socket client, Socket upstream) = through.Connect();
        using (client)
        using (upstream)
        {
            long began = Stopwatch.GetTimestamp();
            client.Send("b"u8);
            through.Client.Send("a"u8);
            Impaired.Read(through.Upstream, 1);
            Assert.False(upstream.Poll(0, SelectMode.SelectRead), "the second connection has the first one's jitter");
            Impaired.Read(upstream, 1);
            TimeSpan took = Stopwatch.GetElapsedTime(began);
            Assert.True(took >= First(options, seed + 1), $"{took}");
        }
    }

    [Fact]
    public void A_rate_is_kept()
    {
        using Impaired through = new(Native, "--rate", "off/200k");
        long began = Stopwatch.GetTimestamp();
        through.Upstream.Send(new byte[25_000]);
        Impaired.Read(through.Client, 25_000);
        Assert.True(Stopwatch.GetElapsedTime(began) >= TimeSpan.FromSeconds(1), $"{Stopwatch.GetElapsedTime(began)}");
    }

    [Fact]
    public void What_is_cut_arrives_in_such_pieces()
    {
        using Impaired through = new(Native, "--slice", "3,1s");
        byte[] buffer = new byte[100];
        through.Client.Send("abcde"u8);
        long began = Stopwatch.GetTimestamp();
        Assert.Equal((3, 2), (through.Upstream.Receive(buffer), through.Upstream.Receive(buffer)));
        Assert.True(Stopwatch.GetElapsedTime(began) >= TimeSpan.FromMilliseconds(900), $"{Stopwatch.GetElapsedTime(began)}");
    }

    [Fact]
    public void What_stalls_stays_open_and_goes_on_when_it_may()
    {
        using Impaired through = new(Native, "--stall", "4/off");
        through.Client.Send("0123456789"u8);
        through.Client.Shutdown(SocketShutdown.Send);
        Assert.Equal("0123"u8, Impaired.Read(through.Upstream, 4));
        Assert.False(Impaired.Hears(through.Upstream));
        through.Upstream.Send("down"u8);
        Assert.Equal("down"u8, Impaired.Read(through.Client, 4));
        Assert.Equal("ok", through.Say("stall off"));
        Assert.Equal("456789"u8, Impaired.ReadToEnd(through.Upstream));
    }

    [Fact]
    public void Both_peers_are_reset_behind_so_many_bytes()
    {
        using Impaired through = new(Native, "--reset-after", "5/off");
        through.Client.Send("01234567"u8);
        Assert.Equal("01234"u8, Impaired.Read(through.Upstream, 5));
        AssertReset(through.Upstream);
        AssertReset(through.Client);
        JsonElement summary = through.End();
        Assert.Equal((1, 8), (Count(summary, "resetAsAsked"), Count(summary.GetProperty("up"), "received")));
        Assert.Equal(5, Count(summary.GetProperty("up"), "forwarded"));
    }

    [Fact]
    public void A_connection_that_is_idle_is_reset_when_that_is_asked()
    {
        using Impaired through = new(Native);
        Assert.Equal("ok", through.Say("reset-after 0"));
        AssertReset(through.Upstream);
        AssertReset(through.Client);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Half_open_the_client_does_not_learn_that_the_upstream_has_gone(bool reset)
    {
        using Impaired through = new(Native, "--half-open", "off/on");

        // A connection that is reset before the proxy's connect(2) has returned is refused.
        through.Client.Send("a"u8);
        Impaired.Read(through.Upstream, 1);
        if (reset)
        {
            through.Upstream.LingerState = new LingerOption(enable: true, seconds: 0);
        }

        through.Upstream.Close();
        Assert.False(Impaired.Hears(through.Client));
        through.Client.Send("into the void"u8);
        through.Client.Send("and more"u8);
        Assert.False(Impaired.Hears(through.Client));
        Assert.Equal("ok", through.Say("half-open off"));
        AssertOver(through.Client);
    }

    [Fact]
    public void A_slow_close_is_late_and_the_bytes_before_it_are_not()
    {
        using Impaired through = new(Native, "--slow-close", "2s/off");
        long began = Stopwatch.GetTimestamp();
        through.Client.Send("abc"u8);
        through.Client.Shutdown(SocketShutdown.Send);
        Assert.Equal("abc"u8, Impaired.Read(through.Upstream, 3));
        TimeSpan bytesTook = Stopwatch.GetElapsedTime(began);
        Assert.Equal(0, through.Upstream.Receive(new byte[1]));
        Assert.True(Stopwatch.GetElapsedTime(began) >= TimeSpan.FromSeconds(2), $"{Stopwatch.GetElapsedTime(began)}");
        Assert.True(bytesTook < TimeSpan.FromSeconds(2), $"{bytesTook}");
    }

    [Fact]
    public void A_reset_is_passed_on_as_one()
    {
        using Impaired through = new(Native);
        through.Client.Send("a"u8);
        Impaired.Read(through.Upstream, 1);
        through.Client.LingerState = new LingerOption(enable: true, seconds: 0);
        through.Client.Close();
        AssertReset(through.Upstream);
        Assert.Equal(1, Count(through.End(), "reset"));
    }

    [Fact]
    public void A_reset_amid_bytes_the_other_way_is_passed_on_as_one()
    {
        using Impaired through = new(Native);
        for (int i = 0; i < 30; i++)
        {
            (Socket client, Socket upstream) = through.Connect();
            using (client)
            {
                // More than the kernel takes at once: the proxy is sending when the reset comes.
                client.Blocking = false;
                byte[] lot = new byte[8 * 1024 * 1024];
                client.Send(lot, SocketFlags.None, out _);
                Impaired.Read(upstream, 1);
                upstream.LingerState = new LingerOption(enable: true, seconds: 0);
                upstream.Close();
                client.Blocking = true;
                AssertReset(client);
            }
        }
    }

    [Fact]
    public void Who_is_not_read_from_is_slowed_and_nothing_is_lost()
    {
        const int MaxTaken = 64 * 1024 * 1024;
        using Impaired through = new(Native);
        byte[] lot = new byte[64 * 1024];
        long sent = 0;
        through.Client.Blocking = false;
        while (through.Client.Poll(TimeSpan.FromMilliseconds(500), SelectMode.SelectWrite))
        {
            int taken = through.Client.Send(lot, SocketFlags.None, out SocketError error);
            Assert.True(error is SocketError.Success or SocketError.WouldBlock, $"{error}");
            sent += taken;
            Assert.True(sent < MaxTaken, "it takes all that comes");
        }

        through.Client.Shutdown(SocketShutdown.Send);
        Assert.Equal(sent, Impaired.ReadToEnd(through.Upstream).LongLength);
    }

    [Fact]
    public async Task All_bytes_before_a_reset_that_was_asked_for_arrive()
    {
        // More than the peer has room for at first: a reset at once would throw away what the kernel has not sent.
        const int Bytes = 700_000;
        using Impaired through = new(Native, "--reset-after", $"{Bytes}/off");
        through.Upstream.ReceiveBufferSize = 32 * 1024;
        Task sending = Task.Run(() =>
        {
            SocketError error;
            do
            {
                through.Client.Send(new byte[64 * 1024], SocketFlags.None, out error);
            }
            while (error == SocketError.Success);
        }, TestContext.Current.CancellationToken);
        Assert.True(SpinWait.SpinUntil(() => through.Upstream.Available >= 16 * 1024, TimeSpan.FromSeconds(20)));
        Impaired.Read(through.Upstream, Bytes);
        AssertReset(through.Upstream);
        await sending.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal(Bytes, Count(through.End().GetProperty("up"), "forwarded"));
    }

    [Fact]
    public void What_is_held_ends_when_its_receiver_is_reset_though_that_has_sent_its_end_before()
    {
        using Impaired through = new(Native, "--stall", "1/off");
        through.Client.Send("ab"u8);
        Assert.Equal("a"u8, Impaired.Read(through.Upstream, 1));
        through.Upstream.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, through.Client.Receive(new byte[1]));
        through.Upstream.LingerState = new LingerOption(enable: true, seconds: 0);
        through.Upstream.Close();

        // Whoever has heard the end hears of a reset by sending.
        Stopwatch waited = Stopwatch.StartNew();
        SocketError error = SocketError.Success;
        while (error == SocketError.Success)
        {
            Assert.True(waited.Elapsed < TimeSpan.FromSeconds(20), "the client is not reset");
            through.Client.Send("x"u8, SocketFlags.None, out error);
            Thread.Yield();
        }

        Assert.Equal(1, Count(through.End(), "reset"));
    }

    [Fact]
    public void Clients_that_say_nothing_keep_nobody_out()
    {
        // All 1,024 places are taken, and the first one's client alone has said something since.
        const int Places = 1024;
        const int More = 100;
        using Impaired through = new(Native);
        List<Socket> sockets = [];
        for (int i = 1; i < Places; i++)
        {
            (Socket client, Socket upstream) = through.Connect();
            sockets.AddRange([client, upstream]);
        }

        Talk(through.Client, through.Upstream);
        for (int i = 0; i < More; i++)
        {
            (Socket client, Socket upstream) = through.Connect();
            Talk(client, upstream);
            AssertReset(sockets[2 * i]);
            AssertReset(sockets[(2 * i) + 1]);
            sockets.AddRange([client, upstream]);
        }

        Talk(through.Client, through.Upstream);
        JsonElement summary = through.End();
        Assert.Equal((Places + More, More, 0), (Count(summary, "connections"), Count(summary, "evicted"), Count(summary, "reset")));
        sockets.ForEach(static socket => socket.Dispose());
    }

    [Fact]
    public void The_end_of_the_proxy_is_no_orderly_end_of_a_stream()
    {
        using Impaired through = new(Native);
        through.Client.Send("a"u8);
        Impaired.Read(through.Upstream, 1);
        through.End();
        AssertReset(through.Client);
        AssertReset(through.Upstream);
    }

    [Fact]
    public void Where_nobody_listens_the_client_is_reset_and_it_says_so_once()
    {
        using Socket gone = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        gone.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using Program proxy = Doorbells.Start(Native, "impair", "tcp://127.0.0.1:0", $"tcp://{gone.LocalEndPoint}");
        string line = proxy.WaitForLine("impairing ");
        for (int i = 0; i < 2; i++)
        {
            using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 20_000 };
            client.Connect(IPAddress.Loopback, Endpoint.Parse(line[(line.LastIndexOf(' ') + 1)..]).Port);
            AssertReset(client);
        }

        proxy.Signal("TERM");
        Ended ended = proxy.WaitForEnd();
        Assert.Contains("2 refused", ended.Output, StringComparison.Ordinal);
        string said = Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("ECONNREFUSED", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Unix_sockets_are_carried_as_well()
    {
        string path = Path.Combine(Path.GetTempPath(), $"doorbell-impair-{Guid.NewGuid():N}");
        (Program server, Endpoint endpoint) = Doorbells.Serve(Native, "tcp://127.0.0.1:0");
        using (server)
        using (Program proxy = Doorbells.Start(Native, "impair", $"unix://{path}", endpoint.ToString(), "--delay", "1ms"))
        {
            proxy.WaitForLine("impairing ");
            Assert.Equal(new Ended(0, "FROM SERVER: HELLO\n", ""), Doorbells.Run(Native, "", "ask", $"unix://{path}", "hello"));
        }
    }

    private static void Talk(Socket client, Socket upstream)
    {
        client.Send("question"u8);
        Assert.Equal("question"u8, Impaired.Read(upstream, 8));
        upstream.Send("answer"u8);
        Assert.Equal("answer"u8, Impaired.Read(client, 6));
    }

    private static void AssertReset(Socket socket)
    {
        SocketException reset = Assert.Throws<SocketException>(() => socket.Receive(new byte[1]));
        Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
    }

    /// <summary>An end or a reset.</summary>
    private static void AssertOver(Socket socket)
    {
        int count = socket.Receive(new byte[1], 0, 1, SocketFlags.None, out SocketError error);
        Assert.True(count == 0 && error is SocketError.Success or SocketError.ConnectionReset, $"{count} bytes, {error}");
    }

    private static (long Received, long Forwarded) Passed(JsonElement way) => (Count(way, "received"), Count(way, "forwarded"));

    private static long Count(JsonElement element, string name) => element.GetProperty(name).GetInt64();
}
