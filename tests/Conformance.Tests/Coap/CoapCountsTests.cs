using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Net;
using Doorbell.Coap;
using Doorbell.Serving;
using Doorbell.Sessions;
using Microsoft.Extensions.Logging;

namespace Doorbell.Tests;

/// <summary>What several sockets at one <c>coap://</c> door have forgotten and refused is counted together, and said.</summary>
public sealed class CoapCountsTests
{
    private const int Peers = 40;

    /// <summary>Confirmable POST, message ID 1, Uri-Path "count"; then ID 2, the first block of 16 bytes and more (RFC 7959).</summary>
    private static readonly byte[] _question = [0x40, 0x02, 0, 1, 0xb5, .. "count"u8];
    private static readonly byte[] _block = [0x40, 0x02, 0, 2, 0xb5, .. "count"u8, 0xd1, 3, 0x08, 0xff, .. "sixteen bytes ab"u8];

    private readonly ConcurrentDictionary<int, int> _lanes = [];

    [Theory]
    [InlineData("loop")]
    [InlineData("pool")]
    public async Task The_counts_are_the_sum_of_all_workers(string model)
    {
        LogRecords log = new(LogLevel.Warning);
        await using Running server = await StartAsync(ServerModel.Named(model, 3), log);
        Socket[] peers = [.. Enumerable.Range(0, Peers).Select(_ => Connect(server.Endpoint))];
        Assert.All(peers, static peer => Assert.Equal(0x44, CodeOf(peer, _question)));
        Assert.True(_lanes.Count > 1, "one worker got all");
        Assert.Equal(Peers - _lanes.Count, CoapServerCounts.From(server.Counts).EvictedExchanges);

        // Each worker has room for one body; one more that begins, which 2.31 says, takes its place.
        Assert.All(peers, static peer => Assert.Equal(0x5f, CodeOf(peer, _block)));
        CoapServerCounts counts = CoapServerCounts.From(server.Counts);
        Assert.Equal((2 * Peers) - _lanes.Count, counts.EvictedExchanges);
        Assert.Equal(Peers - _lanes.Count, counts.EvictedBodies);
        Assert.Equal(counts with { EvictedExchanges = 0, EvictedBodies = 0 }, default);

        Peer.Eventually(() => log.Lines.Count == 1, "the server says so");
        Assert.Contains("requests were forgotten early, since each socket remembers 1:", log.Lines[0], StringComparison.Ordinal);
        await server.Server.DrainAsync(TimeSpan.FromSeconds(20));
        Assert.Single(log.Lines);
        Array.ForEach(peers, static peer => peer.Dispose());
    }

    [Fact]
    public async Task What_is_forgotten_just_before_the_end_is_said_too()
    {
        LogRecords log = new(LogLevel.Warning);
        await using Running server = await StartAsync(ServerModel.Loop(1), log);
        using Socket peer = Connect(server.Endpoint);
        CodeOf(peer, _question);
        CodeOf(peer, _block);
        await server.Server.DrainAsync(TimeSpan.FromSeconds(20));
        Assert.StartsWith("CoAP: 1 requests were forgotten early", Assert.Single(log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_forgets_on_and_on_says_so_once_a_minute_and_misses_none()
    {
        Service service = CoapService.From(
            "counter",
            new Dictionary<string, CoapResource> { ["count"] = new(static (_, _) => CoapCode.Changed) },
            CoapServerLimits.Default with { MaxExchanges = 0 });
        Ledger ledger = new(service.Counters);
        DatagramHandler handler = service.NewDatagramHandler!(new DoorSocketInfo(Endpoint.Parse("udp://127.0.0.1:5683"), default));
        DatagramSession session = new(handler, DatagramLimits.Default, ledger);
        LogRecords log = new(LogLevel.Warning);
        CounterWatch watch = new(ledger, log);
        void Forget(int count)
        {
            for (int i = 0; i < count; i++)
            {
                session.Received(_question, PeerAddress.IPv4(0x7f000001, 1), default, default);
                session.Outbox.Clear();
            }
        }

        watch.Look(TimeSpan.FromSeconds(1));
        Assert.Empty(log.Lines);
        Forget(2);
        watch.Look(TimeSpan.FromSeconds(2));
        Forget(3);
        watch.Look(TimeSpan.FromSeconds(61.9));
        Assert.StartsWith("CoAP: 2 requests", Assert.Single(log.Lines), StringComparison.Ordinal);
        Forget(4);
        watch.Look(TimeSpan.FromSeconds(62));
        watch.Look(TimeSpan.FromSeconds(200));
        Assert.Equal(2, log.Lines.Count);
        Assert.StartsWith("CoAP: 7 requests", log.Lines[1], StringComparison.Ordinal);
    }

    private Task<Running> StartAsync(ServerModel model, LogRecords log)
    {
        CoapResource count = new((_, _) =>
        {
            _lanes.AddOrUpdate(Environment.CurrentManagedThreadId, 1, static (_, times) => times + 1);
            return CoapCode.Changed;
        });
        Service service = CoapService.From(
            "counter",
            new Dictionary<string, CoapResource> { ["count"] = count },
            CoapServerLimits.Default with { MaxExchanges = 1, MaxBodies = 1 });
        return Running.StartAsync(service, "udp", change: options => options with { Model = model, Logging = log });
    }

    private static Socket Connect(Endpoint endpoint)
    {
        Socket peer = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 20_000 };
        peer.Connect(IPAddress.Loopback, endpoint.Port);
        return peer;
    }

    private static byte CodeOf(Socket peer, byte[] question)
    {
        byte[] answer = new byte[2048];
        peer.Send(question);
        Assert.True(peer.Receive(answer) >= 4);
        return answer[1];
    }
}
