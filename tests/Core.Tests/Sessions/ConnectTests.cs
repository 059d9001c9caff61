using Doorbell.Sessions;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>Connections that a handler asks for: what the lane is asked, what the handlers are told, what is counted.</summary>
public sealed class ConnectTests
{
    private static readonly Endpoint _upstream = Endpoint.Parse("tcp://10.0.0.2:7");
    private static readonly ConnectFailure _refused = new("ECONNREFUSED", "connect: refused (ECONNREFUSED)");

    [Fact]
    public void A_request_comes_to_the_lane_with_its_endpoint_its_time_out_and_the_limits_of_the_one_who_asks()
    {
        StreamLimits limits = StreamLimits.Default with { MaxMessageBytes = 17 };
        InMemoryConnection asking = new(Asks(new ScriptedHandler()), 1, limits);
        asking.Run();
        Assert.True(asking.TryTakeConnect(out ConnectRequest? request));
        Assert.Equal((_upstream, TimeSpan.FromSeconds(10), limits), (request.Endpoint, request.Timeout, request.Limits));
        Assert.False(asking.TryTakeConnect(out _));
    }

    [Fact]
    public void A_handler_that_asks_and_closes_in_one_turn_is_still_asked_for()
    {
        InMemoryConnection asking = new(
            new ScriptedHandler
            {
                Open = static turn =>
                {
                    turn.Connect(_upstream, new ScriptedHandler());
                    return Next.Abort;
                },
            },
            1);
        asking.Run();
        Assert.True(asking.WasReset);
        Assert.True(asking.TryTakeConnect(out _));
    }

    [Fact]
    public void The_new_handler_is_opened_when_connected_and_the_connection_is_counted_as_ours()
    {
        ScriptedHandler connected = new() { Open = static turn => Write(turn, "hello") };
        Ledger ledger = new();
        InMemoryConnection asking = new(Asks(connected), 1, ledger: ledger);
        asking.Run();
        Assert.True(asking.TryTakeConnect(out ConnectRequest? request));
        Assert.Empty(connected.Told);
        InMemoryConnection upstream = new(request, 2, ledger);
        upstream.Run();
        Assert.True(upstream.PeerReceived.SequenceEqual("hello"u8));
        LedgerSnapshot counts = ledger.Read();
        Assert.Equal((1, 1, 2), (counts.ConnectionsOpened, counts.ConnectionsConnected, counts.ConnectionsOpen));
        upstream.PeerEnds();
        upstream.Run();
        Assert.Equal(1, ledger.Read().ConnectionsOpen);
    }

    [Fact]
    public void A_handler_that_could_not_be_connected_is_told_closed_alone_and_finds_why()
    {
        ScriptedHandler connected = new();
        OutgoingConnection? outgoing = null;
        Ledger ledger = new();
        InMemoryConnection asking = new(Asks(connected, asked => outgoing = asked), 1, ledger: ledger);
        asking.Run();
        Assert.True(asking.TryTakeConnect(out ConnectRequest? request));
        Assert.Null(outgoing!.Failure);
        Assert.Null(request.Fail(_refused, ledger));
        Assert.Equal(CloseReason.ConnectFailed, connected.Closed);
        Assert.Empty(connected.Told);
        Assert.Same(_refused, outgoing.Failure);
        LedgerSnapshot counts = ledger.Read();
        Assert.Equal((0, 1, 1, 1), (counts.ConnectionsConnected, counts.ConnectFailures, counts.ConnectionsOpen, counts.Errors));
    }

    [Fact]
    public void One_that_waits_for_sixteen_may_not_ask_for_another_until_one_is_known()
    {
        int most = 16;
        int more = 0;
        ScriptedHandler handler = new()
        {
            Bytes = (input, turn) =>
            {
                for (int i = 0; i < input.Length; i++)
                {
                    turn.Connect(_upstream, new ScriptedHandler());
                    more++;
                }

                return Step.More(input.Length);
            },
        };
        InMemoryConnection asking = new(handler, 1);
        asking.PeerSends(new byte[most]);
        asking.Run();
        Assert.True(asking.TryTakeConnect(out ConnectRequest? first));
        first.Fail(_refused, asking.Ledger);
        asking.PeerSends(new byte[1]);
        asking.Run();
        Assert.Equal(most + 1, more);
        asking.PeerSends(new byte[1]);
        asking.Run();
        Assert.Equal(CloseReason.HandlerFault, asking.Ended);
        Assert.Contains("16", asking.Fault!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_datagram_endpoint_or_a_time_out_that_makes_no_sense_is_refused()
    {
        static CloseReason? EndOf(Endpoint endpoint, ConnectOptions options)
        {
            InMemoryConnection asking = new(
                new ScriptedHandler
                {
                    Open = turn =>
                    {
                        turn.Connect(endpoint, new ScriptedHandler(), options);
                        return Next.Stay;
                    },
                },
                1);
            asking.Run();
            return asking.Ended;
        }

        Assert.Equal(CloseReason.HandlerFault, EndOf(Endpoint.Parse("udp://10.0.0.2:7"), ConnectOptions.Default));
        Assert.Equal(CloseReason.HandlerFault, EndOf(_upstream, new ConnectOptions { Timeout = TimeSpan.Zero }));
        Assert.Equal(CloseReason.HandlerFault, EndOf(_upstream, new ConnectOptions { KeepAlive = TimeSpan.FromMilliseconds(999) }));
        Assert.Equal(CloseReason.HandlerFault, EndOf(_upstream, new ConnectOptions { KeepAlive = TimeSpan.FromSeconds(32_768) }));
    }

    [Fact]
    public void A_cancelled_request_rings_the_lane_whether_the_lane_listens_before_or_after()
    {
        OutgoingConnection? outgoing = null;
        InMemoryConnection asking = new(Asks(new ScriptedHandler(), asked => outgoing = asked), 1);
        asking.Run();
        Assert.True(asking.TryTakeConnect(out ConnectRequest? request));
        CountingBell before = new();
        request.RingWhenCancelled(before);
        Assert.Equal(0, before.Rings);
        outgoing!.Cancel();
        CountingBell after = new();
        request.RingWhenCancelled(after);
        Assert.Equal((1, 1, true), (before.Rings, after.Rings, request.IsCancelled));
    }

    [Fact]
    public void A_drain_spares_a_connection_of_ours_until_the_one_that_asked_for_it_is_over()
    {
        InMemoryConnection asking = new(Asks(new ScriptedHandler()), 1);
        asking.PeerSends("?"u8);
        asking.Run();
        Assert.True(asking.TryTakeConnect(out ConnectRequest? request));
        InMemoryConnection upstream = new(request, 2, asking.Ledger);
        upstream.PeerSends("half an answer"u8);
        upstream.Run();
        upstream.Drain();
        upstream.Run();
        Assert.False(upstream.ServerFinished);
        asking.PeerEnds();
        asking.Run();
        Assert.Equal(CloseReason.Completed, asking.Ended);
        upstream.PeerEnds();
        upstream.Run();
        Assert.Equal(CloseReason.Completed, upstream.Ended);
    }

    [Fact]
    public void And_one_that_drains_after_that_is_closed_as_any_other()
    {
        InMemoryConnection asking = new(Asks(new ScriptedHandler()), 1);
        asking.Run();
        Assert.True(asking.TryTakeConnect(out ConnectRequest? request));
        InMemoryConnection upstream = new(request, 2, asking.Ledger);
        upstream.PeerSends("greeting"u8);
        upstream.Run();
        asking.PeerEnds();
        asking.Run();
        Assert.False(upstream.ServerFinished);
        upstream.Drain();
        upstream.Run();
        Assert.True(upstream.ServerFinished);
    }

    [Fact]
    public void Ranges_of_targets_and_proxies_exclude_each_other()
    {
        TargetRange[] targets = [TargetRange.Parse("10.0.0.0/8")];
        TunnelProxy[] via = [TunnelProxy.Parse("socks5://127.0.0.1:1080")];
        (ConnectOptions.Default with { Targets = targets }).Validate();
        (ConnectOptions.Default with { Via = via }).Validate();
        Assert.Throws<ArgumentException>((ConnectOptions.Default with { Targets = targets, Via = via }).Validate);
    }

    private static ScriptedHandler Asks(StreamHandler connected, Action<OutgoingConnection>? asked = null) => new()
    {
        Open = turn =>
        {
            OutgoingConnection outgoing = turn.Connect(_upstream, connected);
            asked?.Invoke(outgoing);
            return Next.Stay;
        },
    };

    private static Next Write(Turn turn, string text)
    {
        turn.Output.Write(System.Text.Encoding.UTF8.GetBytes(text));
        return Next.Stay;
    }

    private sealed class CountingBell : Bell
    {
        public int Rings { get; private set; }

        public override void Ring() => Rings++;
    }
}
