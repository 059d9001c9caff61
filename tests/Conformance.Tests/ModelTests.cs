using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>Limits, faults, bells and the end of a server, under every model.</summary>
public sealed class ModelTests
{
    public static TheoryData<string> All => [.. Models.All];

    public static TheoryData<string> AtOnce => [.. Models.AtOnce];

    public static TheoryData<string> Here => [.. Models.Here];

    public static TheoryData<string> WithALimit => [.. Models.WithALimit];

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_maker_of_handlers_that_throws_costs_one_connection(string model)
    {
        int made = 0;
        Service brittle = new("brittle")
        {
            NewStreamHandler = connection => ++made == 1
                ? throw new FormatException("no handler")
                : ClassicServices.Capitalize.NewStreamHandler!(connection),
        };
        await using Running server = await Running.StartAsync(brittle, model: model);
        using Peer first = server.Connect();
        Assert.Throws<SocketException>(() => first.ReceiveToEnd());
        using Peer second = server.Connect();
        Assert.Equal("HI\n", second.Ask("hi\n"));
    }

    [Theory]
    [MemberData(nameof(WithALimit))]
    public async Task At_the_limit_of_connections_the_next_waits_in_the_backlog_until_one_ends_where_that_is_wanted(string model)
    {
        await using Running server = await Running.StartAsync(
            ClassicServices.Capitalize, maxConnections: 2, model: model,
            change: static options => options with { AtLimit = AtLimit.LeaveInBacklog });
        using Peer first = server.Connect();
        using Peer second = server.Connect();
        Assert.Equal("A\n", first.Ask("a\n"));
        Assert.Equal("B\n", second.Ask("b\n"));
        using Peer third = server.Connect();
        third.Send("c\n");
        Assert.Equal("A\n", first.Ask("a\n"));
        Assert.Equal(2, server.Counts.ConnectionsOpened);
        first.Dispose();
        Assert.Equal("C\n", third.Receive(2));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_drain_ends_at_its_deadline_whatever_peers_do(string model)
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, model: model);
        using Peer stubborn = server.Connect();
        stubborn.Send("half a li");
        Peer.Eventually(() => server.Counts.BytesReceived == 9, "the half line has arrived");
        await server.Server.DrainAsync(TimeSpan.FromMilliseconds(100));
        Assert.Equal(1, server.Counts.Closed(CloseReason.DrainDeadline));
        Assert.Throws<SocketException>(() => stubborn.ReceiveToEnd());
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_drain_waits_for_the_rest_of_a_half_received_line(string model)
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, model: model);
        using Peer slow = server.Connect();
        slow.Send("half a li");
        Peer.Eventually(() => server.Counts.BytesReceived == 9, "the half line has arrived");
        Task drained = server.Server.DrainAsync(TimeSpan.FromSeconds(20));
        slow.Send("ne\n");
        Assert.Equal("HALF A LINE\n", slow.ReceiveToEnd());
        slow.Dispose();
        await drained;
        Assert.Equal(1, server.Counts.Closed(CloseReason.Completed));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task An_idle_connection_is_closed_at_its_time(string model)
    {
        Service hasty = ClassicServices.Capitalize with { StreamLimits = StreamLimits.Default with { IdleTimeout =
            TimeSpan.FromMilliseconds(200) } };
        await using Running server = await Running.StartAsync(hasty, model: model, workerArguments: ["--idle-timeout", "0.2"]);
        using Peer peer = server.Connect();
        Assert.Equal("A\n", peer.Ask("a\n"));
        Assert.Equal("", peer.ReceiveToEnd());
        Peer.Eventually(() => server.Counts.Closed(CloseReason.IdleTimeout) == 1, "it is counted");
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_bell_rung_from_another_thread_pushes_output_to_an_idle_connection(string model)
    {
        TaskCompletionSource<Bell> bell = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Service push = new("push") { NewStreamHandler = _ => new Pushing(bell) };
        await using Running server = await Running.StartAsync(push, model: model);
        using Peer peer = server.Connect();
        Bell its = await bell.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        its.Ring();
        Assert.Equal("news\n", peer.Receive(5));
        peer.Dispose();
        Peer.Eventually(() => server.Counts.ConnectionsOpen == 0, "it is closed");
        its.Ring();
    }

    [Theory]
    [MemberData(nameof(WithALimit))]
    public async Task One_too_many_is_told_so_and_closed_where_that_is_wanted(string model)
    {
        await using Running server = await Running.StartAsync(
            ClassicServices.Capitalize, maxConnections: 1, model: model,
            change: static options => options with { AtLimit = AtLimit.Close, RefusalLine = "come back later" });
        using Peer first = server.Connect();
        Assert.Equal("A\n", first.Ask("a\n"));
        using (Peer second = server.Connect())
        {
            second.Send("a request that nobody reads\n");
            Assert.Equal("come back later\n", second.ReceiveToEnd());
        }

        Peer.Eventually(() => server.Counts.ConnectionsRefused == 1, "it is counted");
        first.Dispose();
        Peer.Eventually(() => server.Counts.ConnectionsOpen == 0, "the first is closed");
        Peer.Eventually(() => TryAsk(server), "there is room again");
    }

    [Theory]
    [MemberData(nameof(AtOnce))]
    public async Task One_address_has_its_share_and_no_more(string model)
    {
        await using Running server = await Running.StartAsync(
            ClassicServices.Capitalize, model: model,
            change: static options => options with { MaxConnectionsPerAddress = 2 }, workerArguments: ["--max-per-address", "2"]);
        using Peer first = server.Connect();
        using Peer second = server.Connect();
        Assert.Equal("A\n", first.Ask("a\n"));
        Assert.Equal("B\n", second.Ask("b\n"));
        using (Peer third = server.Connect())
        {
            Assert.Equal("", third.ReceiveToEnd());
        }

        Assert.Equal(1, server.Counts.ConnectionsRefused);
        second.Dispose();
        Peer.Eventually(() => server.Counts.ConnectionsOpen == 1, "the second is closed");
        Peer.Eventually(() => TryAsk(server), "there is room again");
    }

    [Fact]
    public async Task Under_the_iterative_model_the_second_waits_for_the_first_to_go()
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, model: "iterative");
        using Peer first = server.Connect();
        Assert.Equal("A\n", first.Ask("a\n"));
        using Peer second = server.Connect();
        second.Send("b\n");
        Assert.Equal("A\n", first.Ask("a\n"));
        Assert.Equal(1, server.Counts.ConnectionsOpened);
        first.Dispose();
        Assert.Equal("B\n", second.Receive(2));
    }

    private static bool TryAsk(Running server)
    {
        using Peer next = server.Connect();
        next.Send("c\n");
        next.HalfClose();
        try
        {
            return next.ReceiveToEnd() == "C\n";
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private sealed class Pushing(TaskCompletionSource<Bell> bell) : StreamHandler
    {
        public override Next OnOpen(Turn turn)
        {
            bell.SetResult(turn.Bell);
            return Next.Stay;
        }

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => Step.More(input.Length);

        public override Next OnRing(Turn turn)
        {
            turn.Output.Write("news\n"u8);
            return Next.Stay;
        }
    }
}
