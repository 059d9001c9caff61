using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Doorbell.Links;

namespace Doorbell.Tests;

/// <summary><c>doorbell impair</c> between a test's own UDP sockets: what each fault does to datagrams.</summary>
public sealed class ImpairDatagramTests : IDisposable
{
    private const int Patience = 20_000;

    private readonly Socket _server = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = Patience };
    private readonly Socket _client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = Patience };
    private Program? _proxy;

    public static TheoryData<string[], LinkOptions> Fates => new()
    {
        { ["--loss", "30%/off"], new() { Loss = 0.3 } },
        { ["--burst-loss", "20%,3/off"], new() { BurstLoss = BurstLoss.Of(0.2, 3) } },
        { ["--duplicate", "40%/off"], new() { Duplicate = 0.4 } },
        { ["--corrupt", "50%/off"], new() { Corrupt = 0.5 } },
        { ["--mtu", "100/off"], new() { Mtu = 100 } },
        {
            ["--loss", "10%", "--corrupt", "20%", "--duplicate", "30%", "--mtu", "120", "--only", "up"],
            new() { Loss = 0.1, Corrupt = 0.2, Duplicate = 0.3, Mtu = 120 }
        },
    };

    [Theory]
    [MemberData(nameof(Fates))]
    public void What_arrives_is_what_a_link_with_the_same_seed_lets_arrive(string[] options, LinkOptions same)
    {
        const int Seed = 11;
        Link link = new(same, Seed);
        Random dice = new(5);
        byte[] arrived = new byte[2000];
        Start([.. options, "--seed", $"{Seed}"]);
        long expected = 0;
        for (int i = 0; i < 200; i++)
        {
            byte[] datagram = new byte[1 + dice.Next(150)];
            dice.NextBytes(datagram);
            _client.Send(datagram);
            LinkFate fate = link.Next(TimeSpan.Zero, datagram.Length);
            fate.Apply(datagram);
            expected += fate.Arrivals;
            for (int j = 0; j < fate.Arrivals; j++)
            {
                Assert.Equal(datagram, arrived[.._server.Receive(arrived)]);
            }
        }

        JsonElement up = End().GetProperty("up");
        LinkCounts counts = link.ReadCounts();
        Assert.Equal(
            (expected, counts.Duplicated, counts.Corrupted),
            (Count(up, "forwarded"), Count(up, "duplicated"), Count(up, "corrupted")));
        Assert.Equal(
            (counts.DroppedBy(LinkDrop.Loss), counts.DroppedBy(LinkDrop.BurstLoss), counts.DroppedBy(LinkDrop.TooLarge)),
            (Count(up.GetProperty("dropped"), "loss"), Count(up.GetProperty("dropped"), "burstLoss"),
                Count(up.GetProperty("dropped"), "tooLarge")));
    }

    [Fact]
    public void What_is_held_back_is_overtaken()
    {
        const int Datagrams = 20;
        Link link = new(new LinkOptions { Reorder = 0.4 }, seed: 2);
        bool[] held = [.. Enumerable.Range(0, Datagrams).Select(_ => link.Next(TimeSpan.Zero, 1).IsReordered)];
        Start("--reorder", "40%,1s/off", "--seed", "2");
        for (int i = 0; i < Datagrams; i++)
        {
            _client.Send([(byte)i]);
        }

        byte[] arrived = new byte[1];
        int[] order = [.. Enumerable.Range(0, Datagrams).Select(_ => _server.Receive(arrived) == 1 ? arrived[0] : -1)];
        Assert.Equal(Enumerable.Range(0, Datagrams).OrderBy(i => held[i]), order);
        Assert.Contains(true, held);
    }

    [Fact]
    public void A_rate_is_kept()
    {
        // 10 packets of 1,000 bytes, headers counted, at 10,000 bytes a second.
        const int Datagrams = 10;
        Start("--rate", "80k/off");
        long began = Stopwatch.GetTimestamp();
        for (int i = 0; i < Datagrams; i++)
        {
            _client.Send(new byte[972]);
        }

        for (int i = 0; i < Datagrams; i++)
        {
            Assert.Equal(972, _server.Receive(new byte[1000]));
        }

        Assert.True(Stopwatch.GetElapsedTime(began) >= TimeSpan.FromSeconds(1), $"{Stopwatch.GetElapsedTime(began)}");
    }

    [Fact]
    public void What_finds_the_queue_full_is_lost()
    {
        // Each takes a second, and with one under way there is room for one more.
        Start("--rate", "8k,2000/off");
        for (int i = 0; i < 4; i++)
        {
            _client.Send(new byte[972]);
        }

        Assert.Equal((972, 972), (_server.Receive(new byte[1000]), _server.Receive(new byte[1000])));
        JsonElement up = End().GetProperty("up");
        Assert.Equal((4, 2), (Count(up, "received"), Count(up, "forwarded")));
        Assert.Equal(2, Count(up.GetProperty("dropped"), "queueFull"));
    }

    [Theory]
    [InlineData(150, true)]
    [InlineData(20_000, false)]
    public void What_comes_while_the_proxy_is_behind_arrives_or_is_counted(int datagrams, bool allArrive)
    {
        // 150 of 1,000 bytes are more than a usual receive buffer has room for, and 20,000 more than any.
        Start();
        _proxy!.Signal("STOP");
        for (int i = 0; i < datagrams; i++)
        {
            _client.Send(new byte[1000]);
        }

        _proxy.Signal("CONT");
        for (int i = 0; allArrive && i < datagrams; i++)
        {
            Assert.Equal(1000, _server.Receive(new byte[1500]));
        }

        JsonElement up = End().GetProperty("up");
        long full = Count(up.GetProperty("dropped"), "receiveBufferFull");
        Assert.Equal((datagrams, datagrams - full), (Count(up, "received"), Count(up, "forwarded")));
        Assert.Equal(allArrive, full == 0);
    }

    [Fact]
    public void What_the_upstream_sends_while_the_proxy_is_behind_arrives_too()
    {
        const int Answers = 150;
        Start();
        _client.ReceiveBufferSize = 1024 * 1024;
        _client.Send("a"u8);
        EndPoint proxy = new IPEndPoint(IPAddress.Any, 0);
        _server.ReceiveFrom(new byte[10], ref proxy);
        _proxy!.Signal("STOP");
        for (int i = 0; i < Answers; i++)
        {
            _server.SendTo(new byte[1000], proxy);
        }

        _proxy.Signal("CONT");
        for (int i = 0; i < Answers; i++)
        {
            Assert.Equal(1000, _client.Receive(new byte[1500]));
        }

        JsonElement down = End().GetProperty("down");
        Assert.Equal((Answers, Answers), (Count(down, "received"), Count(down, "forwarded")));
    }

    public void Dispose()
    {
        _proxy?.Dispose();
        _client.Dispose();
        _server.Dispose();
    }

    /// <summary>UDP over IPv6 carries 20 bytes more than over IPv4, where the IP header counts too (RFC 768, RFC 8200).</summary>
    [Theory]
    [InlineData(65_508)]
    [InlineData(65_519)]
    [InlineData(65_527)]
    public void The_largest_datagrams_of_IPv6_pass_both_ways(int bytes)
    {
        using Socket server = new(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp)
        {
            ReceiveTimeout = Patience, ReceiveBufferSize = 1024 * 1024, SendBufferSize = 1024 * 1024,
        };
        using Socket client = new(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp)
        {
            ReceiveTimeout = Patience, ReceiveBufferSize = 1024 * 1024, SendBufferSize = 1024 * 1024,
        };
        server.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        _proxy = Doorbells.Start("native", "impair", "udp://[::1]:0", $"udp://{server.LocalEndPoint}", "--json");
        using JsonDocument listening = JsonDocument.Parse(_proxy.WaitForLine("\"listening\""));
        client.Connect(IPAddress.IPv6Loopback, Endpoint.Parse(listening.RootElement.GetProperty("endpoint").GetString()!).Port);
        byte[] datagram = new byte[bytes];
        new Random(bytes).NextBytes(datagram);
        byte[] arrived = new byte[70_000];
        client.Send(datagram);
        EndPoint from = new IPEndPoint(IPAddress.IPv6Any, 0);
        Assert.Equal(datagram, arrived[..server.ReceiveFrom(arrived, ref from)]);
        Array.Reverse(datagram);
        server.SendTo(datagram, from);
        Assert.Equal(datagram, arrived[..client.Receive(arrived)]);
        JsonElement summary = End();
        Assert.Equal(1, Count(summary.GetProperty("up"), "forwarded"));
        Assert.Equal(1, Count(summary.GetProperty("down"), "forwarded"));
    }

    private void Start(params string[] options)
    {
        _server.ReceiveBufferSize = 1024 * 1024;
        _server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _proxy = Doorbells.Start("native", ["impair", "udp://127.0.0.1:0", $"udp://{_server.LocalEndPoint}", "--json", .. options]);
        using JsonDocument listening = JsonDocument.Parse(_proxy.WaitForLine("\"listening\""));
        _client.Connect(IPAddress.Loopback, Endpoint.Parse(listening.RootElement.GetProperty("endpoint").GetString()!).Port);
    }

    private JsonElement End()
    {
        _proxy!.Signal("TERM");
        Ended ended = _proxy.WaitForEnd();
        Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
        using JsonDocument summary = JsonDocument.Parse(ended.Output.TrimEnd().Split('\n')[^1]);
        return summary.RootElement.Clone();
    }

    private static long Count(JsonElement element, string name) => element.GetProperty(name).GetInt64();
}
