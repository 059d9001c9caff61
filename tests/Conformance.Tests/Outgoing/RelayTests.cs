using System.Net;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>A relay on real sockets: under every model that serves in this process, between all kinds of streams.</summary>
public sealed class RelayTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    public static TheoryData<string> Here => [.. Models.Here];

    public static TheoryData<string> Many => [.. Models.Many];

    public static TheoryData<string, string, string> Kinds
    {
        get
        {
            TheoryData<string, string, string> all = [];
            foreach (string model in Models.Here)
            {
                all.Add(model, "tcp", "tcp");
                all.Add(model, "tcp", "unix");
                all.Add(model, "unix", "tcp");
                all.Add(model, "unix", "unix");
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Questions_answers_and_ends_pass_through(string model, string listening, string upstream)
    {
        await using Running capitalize = await Running.StartAsync(ClassicServices.Capitalize, upstream);
        await using Running relay = await Running.StartAsync(Relay.To(capitalize.Endpoint), listening, model: model);
        for (int visit = 0; visit < 3; visit++)
        {
            using Peer peer = relay.Connect();
            Assert.Equal("HELLO\n", peer.Ask("hello\n"));
            Assert.Equal("AND AGAIN\n", peer.Ask("and again\n"));
            peer.HalfClose();
            Assert.Equal("", peer.ReceiveToEnd());
        }

        Peer.Eventually(() => relay.Counts.ConnectionsOpen == 0, "both sides end");
        LedgerSnapshot counts = relay.Counts;
        Assert.Equal((3, 3, 0), (counts.ConnectionsOpened, counts.ConnectionsConnected, counts.Errors));
        Assert.Equal(6, counts.Closed(CloseReason.Completed));
    }

    [Theory]
    [MemberData(nameof(Many))]
    public async Task Eight_streams_of_many_megabytes_come_back_whole(string model)
    {
        await using Running echo = await Running.StartAsync(ClassicServices.Echo);
        await using Running relay = await Running.StartAsync(Relay.To(echo.Endpoint), model: model);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(seed => EchoAsync(relay.Endpoint, seed, 4_000_000)));
        Peer.Eventually(() => relay.Counts.ConnectionsOpen == 0, "all end");
        Assert.Equal(16, relay.Counts.Closed(CloseReason.Completed));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_stream_through_the_small_buffers_of_unix_sockets_comes_back_whole(string model)
    {
        await using Running echo = await Running.StartAsync(ClassicServices.Echo, "unix");
        await using Running relay = await Running.StartAsync(Relay.To(echo.Endpoint), "unix", model: model);
        await EchoAsync(relay.Endpoint, seed: 1, 16_000_000).WaitAsync(_patience, TestContext.Current.CancellationToken);
        Peer.Eventually(() => relay.Counts.ConnectionsOpen == 0, "both sides end");
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task What_the_upstream_answered_before_it_reset_comes_before_the_reset(string model)
    {
        using Socket upstream = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        upstream.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        upstream.Listen();
        Endpoint endpoint = Endpoint.From(Transport.Tcp, (IPEndPoint)upstream.LocalEndPoint!);
        await using Running relay = await Running.StartAsync(Relay.To(endpoint), model: model);
        for (int visit = 0; visit < 20; visit++)
        {
            using Socket client = await Connector.ConnectAsync(relay.Endpoint, _patience, TestContext.Current.CancellationToken);
            client.Send(new byte[10]);
            using (Socket server = await upstream.AcceptAsync(TestContext.Current.CancellationToken))
            {
                // It answers early and closes with unread input, so that the kernel sends a reset behind the answer.
                server.Receive(new byte[3]);
                server.Send(new byte[2000]);
            }

            int count = 0;
            SocketException reset = await Assert.ThrowsAsync<SocketException>(async () =>
            {
                while (await client.ReceiveAsync(new byte[4096], TestContext.Current.CancellationToken) is > 0 and int more)
                {
                    count += more;
                }
            });
            Assert.Equal((SocketError.ConnectionReset, 2000), (reset.SocketErrorCode, count));
        }
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_refused_upstream_is_passed_over_and_if_there_is_no_other_the_client_is_reset(string model)
    {
        using Socket bound = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Endpoint refuses = Endpoint.From(Transport.Tcp, (IPEndPoint)bound.LocalEndPoint!);
        await using Running echo = await Running.StartAsync(ClassicServices.Echo);
        await using Running relay = await Running.StartAsync(Relay.To(refuses, echo.Endpoint), model: model);
        using (Peer peer = relay.Connect())
        {
            Assert.Equal("hello", peer.Ask("hello"));
        }

        Peer.Eventually(() => relay.Counts.ConnectFailures == 1, "the first is counted");
        await using Running alone = await Running.StartAsync(Relay.To(refuses), model: model);
        using Peer reset = alone.Connect();
        Assert.True(IsReset(reset));
        Peer.Eventually(() => alone.Counts is { ConnectFailures: 1, ConnectionsOpen: 0 }, "it is counted");
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_reset_of_the_client_resets_the_upstream(string model)
    {
        await using Running holds = await Running.StartAsync(ClassicServices.Discard);
        await using Running relay = await Running.StartAsync(Relay.To(holds.Endpoint), model: model);
        Peer peer = relay.Connect();
        peer.Send("x");
        Peer.Eventually(() => holds.Counts.BytesReceived == 1, "it is through");
        peer.Reset();
        Peer.Eventually(() => holds.Counts.Closed(CloseReason.PeerReset) == 1, "the reset is through");
        Peer.Eventually(() => relay.Counts.ConnectionsOpen == 0, "both sides end");
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_drain_waits_for_what_is_on_its_way_and_the_deadline_ends_the_rest(string model)
    {
        await using Running echo = await Running.StartAsync(ClassicServices.Echo);
        await using Running relay = await Running.StartAsync(Relay.To(echo.Endpoint), model: model);
        using Peer peer = relay.Connect();
        Assert.Equal("before", peer.Ask("before"));
        Task drained = relay.Server.DrainAsync(_patience);
        Assert.Equal("after", peer.Ask("after"));
        peer.HalfClose();
        Assert.Equal("", peer.ReceiveToEnd());
        await drained.WaitAsync(_patience, TestContext.Current.CancellationToken);

        await using Running held = await Running.StartAsync(Relay.To(echo.Endpoint), model: model);
        using Peer stays = held.Connect();
        Assert.Equal("before", stays.Ask("before"));
        await held.Server.DrainAsync(TimeSpan.FromMilliseconds(100)).WaitAsync(_patience, TestContext.Current.CancellationToken);
        LedgerSnapshot counts = held.Counts;

        // The deadline resets one side at least, and that one may be quicker than the deadline to reset the other.
        Assert.InRange(counts.Closed(CloseReason.DrainDeadline), 1, 2);
        Assert.Equal(2, counts.Closed(CloseReason.DrainDeadline) + counts.Closed(CloseReason.HandlerAborted));
        Assert.Equal(0, counts.ConnectionsOpen);
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_name_is_resolved_and_one_that_is_none_fails_with_the_resolvers_error(string model)
    {
        await using Running echo = await Running.StartAsync(ClassicServices.Echo);
        Endpoint byName = Endpoint.Parse($"tcp://localhost:{echo.Endpoint.Port}");
        await using Running relay = await Running.StartAsync(
            Relay.To(Endpoint.Parse("tcp://no-such-host.invalid:7"), byName), model: model);
        using Peer peer = relay.Connect();
        Assert.Equal("hello", peer.Ask("hello"));
        Assert.Equal(1, relay.Counts.ConnectFailures);
    }

    private static async Task EchoAsync(Endpoint endpoint, int seed, int length)
    {
        byte[] sent = new byte[length];
        new Random(seed).NextBytes(sent);
        using Socket socket = await Connector.ConnectAsync(endpoint, _patience, TestContext.Current.CancellationToken);
        Task sending = Task.Run(
            async () =>
            {
                for (int at = 0; at < length;)
                {
                    at += await socket.SendAsync(sent.AsMemory(at), TestContext.Current.CancellationToken);
                }

                socket.Shutdown(SocketShutdown.Send);
            },
            TestContext.Current.CancellationToken);
        byte[] received = new byte[length + 1];
        int count = 0;
        int more;
        do
        {
            more = await socket.ReceiveAsync(received.AsMemory(count), TestContext.Current.CancellationToken);
            count += more;
        }
        while (more > 0);
        await sending;
        Assert.True(received.AsSpan(0, count).SequenceEqual(sent));
    }

    private static bool IsReset(Peer peer)
    {
        try
        {
            peer.ReceiveToEnd();
            return false;
        }
        catch (SocketException reset)
        {
            return reset.SocketErrorCode == SocketError.ConnectionReset;
        }
    }
}
