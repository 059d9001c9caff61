using System.Text;
using Doorbell.Sessions;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>A layer that opens, wraps, ends and fails as TLS does, one thing a test.</summary>
public sealed class LayerTests
{
    private readonly RecordLayer _layer = new();

    [Fact]
    public void The_handler_hears_of_the_connection_when_the_layer_is_open()
    {
        ScriptedHandler handler = new();
        InMemoryConnection connection = Connection(handler);
        connection.PeerSends(RecordPeer.Record(RecordLayer.Hello, "client"u8));
        connection.Run();
        Assert.Empty(handler.Told);
        Assert.Equal([RecordLayer.Hello], Types(connection));
        connection.PeerSends(RecordPeer.Record(RecordLayer.Done, "client"u8));
        connection.Run();
        Assert.Equal(["open"], handler.Told);
        Assert.Same(_layer, connection.Connection.Get<RecordLayer>());
        Assert.Equal(0, connection.RentedBytes);
    }

    [Fact]
    public void The_peers_own_end_is_the_handlers_end_and_ours_is_said_before_the_fin()
    {
        ScriptedHandler handler = new();
        InMemoryConnection connection = Opened(handler);
        connection.PeerSends([.. RecordPeer.Record(RecordLayer.Data, "hello"u8), .. RecordPeer.Record(RecordLayer.Close, [])]);
        connection.Run();
        Assert.Equal(["open", "bytes", "end"], handler.Told);
        Assert.Equal("hello", Plain(connection));
        Assert.Equal([RecordLayer.Hello, RecordLayer.Data, RecordLayer.Close], Types(connection));
        Assert.True(connection.ServerFinished);
        connection.PeerEnds();
        connection.Run();
        Assert.Equal(CloseReason.Completed, connection.Ended);
        Assert.Equal(1, _layer.Finishes);
    }

    [Fact]
    public void An_end_that_the_peer_did_not_say_is_a_truncation_and_no_end_is_told()
    {
        ScriptedHandler handler = new();
        InMemoryConnection connection = Opened(handler);
        connection.PeerSends(RecordPeer.Record(RecordLayer.Data, "hello"u8));
        connection.PeerEnds();
        connection.Run();
        Assert.DoesNotContain("end", handler.Told);
        Assert.Equal("hello", Plain(connection));
        Assert.Equal(CloseReason.Truncated, connection.Ended);
        Assert.False(connection.WasReset);
    }

    [Fact]
    public void A_layer_that_fails_sends_its_alert_and_closes_in_order()
    {
        ScriptedHandler handler = new();
        InMemoryConnection connection = Opened(handler);
        connection.PeerSends("GET / HTTP/1.1"u8);
        connection.Run();
        Assert.Equal([RecordLayer.Hello, RecordLayer.Alert], Types(connection));
        Assert.True(connection.ServerFinished);
        connection.PeerEnds();
        connection.Run();
        Assert.Equal(CloseReason.LayerFailed, connection.Ended);
        Assert.False(connection.WasReset);
        Assert.Equal("no record", connection.LayerFailure);
        Assert.Equal(0, _layer.Finishes);
        Assert.Equal(["open"], handler.Told);
    }

    [Fact]
    public void While_parked_records_stay_wrapped_and_behind_it_they_come()
    {
        Bell? bell = null;
        int taken = 0;
        ScriptedHandler handler = new()
        {
            Bytes = (input, turn) =>
            {
                bell = turn.Bell;
                taken += input.Length;
                return Step.Park(input.Length);
            },
        };
        InMemoryConnection connection = Opened(handler);
        byte[] record = RecordPeer.Record(RecordLayer.Data, "12345"u8);
        connection.PeerSends([.. record, .. record, .. record]);
        connection.Run();
        Assert.Equal(5, taken);
        Assert.Equal(Want.None, connection.Wants);
        bell!.Ring();
        connection.Run();
        Assert.Equal(10, taken);
        bell.Ring();
        connection.Run();
        Assert.Equal(15, taken);
    }

    [Fact]
    public void Half_closed_by_the_handler_it_still_reads()
    {
        int read = 0;
        ScriptedHandler handler = new()
        {
            Open = static _ => Next.Finish,
            Bytes = (input, _) => Step.More((read += input.Length) > 0 ? input.Length : 0),
            End = static (_, _) => Next.Stay,
        };
        InMemoryConnection connection = Opened(handler);
        Assert.True(connection.ServerFinished);
        Assert.Equal([RecordLayer.Hello, RecordLayer.Close], Types(connection));
        connection.PeerSends([.. RecordPeer.Record(RecordLayer.Data, "12345"u8), .. RecordPeer.Record(RecordLayer.Close, [])]);
        connection.PeerEnds();
        connection.Run();
        Assert.Equal(5, read);
        Assert.Equal(CloseReason.Completed, connection.Ended);
    }

    [Fact]
    public void A_drain_is_told_to_the_handler_once_it_is_open()
    {
        ScriptedHandler handler = new();
        InMemoryConnection opening = Connection(handler);
        opening.PeerSends(RecordPeer.Record(RecordLayer.Hello, "client"u8));
        opening.Drain();
        opening.Run();
        Assert.Empty(handler.Told);
        opening.PeerSends([.. RecordPeer.Record(RecordLayer.Done, "client"u8), .. RecordPeer.Record(RecordLayer.Data, "hi"u8)]);
        opening.PeerEnds();
        opening.Run();
        Assert.Equal(["open", "drain", "bytes"], handler.Told.Take(3));
        Assert.Equal("hi", Plain(opening));
        Assert.Equal(CloseReason.Completed, opening.Ended);
    }

    [Fact]
    public void A_drain_closes_what_is_idle_and_says_its_end()
    {
        InMemoryConnection idle = Opened(new ScriptedHandler());
        idle.Drain();
        idle.Advance(TimeSpan.FromSeconds(1));
        Assert.True(idle.ServerFinished);
        Assert.Equal([RecordLayer.Hello, RecordLayer.Close], Types(idle));
    }

    [Fact]
    public void A_layer_that_throws_or_counts_wrongly_ends_its_own_connection()
    {
        foreach (BrokenLayer.Fault fault in Enum.GetValues<BrokenLayer.Fault>())
        {
            ScriptedHandler handler = new();
            InMemoryConnection connection = new(handler, 1, layers: [_ => new BrokenLayer(fault)]);
            connection.PeerSends("hello"u8);
            connection.Run();
            connection.PeerEnds();
            connection.Run();
            Assert.Equal(CloseReason.LayerFailed, connection.Ended);
            Assert.Equal(fault != BrokenLayer.Fault.NeverEnough, connection.WasReset && connection.Fault is not null);
            Assert.Equal(0, connection.RentedBytes);
        }
    }

    [Fact]
    public void Layers_stand_on_each_other_in_their_order()
    {
        ScriptedHandler handler = new();
        InMemoryConnection connection = new(handler, 1, layers:
        [
            ProxyProtocol.Accept([AddressRange.Parse("127.0.0.1")]),
            _ => _layer,
        ]);
        connection.PeerSends(
        [
            .. "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n"u8, .. RecordPeer.Handshake,
            .. RecordPeer.Record(RecordLayer.Data, "hello"u8), .. RecordPeer.Record(RecordLayer.Close, []),
        ]);
        connection.PeerEnds();
        connection.Run();
        Assert.Equal("192.0.2.1:56324", connection.Connection.Peer.ToString());
        Assert.NotNull(connection.Connection.Get<ProxyHeader>());
        Assert.NotNull(connection.Connection.Get<RecordLayer>());
        Assert.Equal("hello", Plain(connection));
        Assert.Equal(CloseReason.Completed, connection.Ended);
    }

    private InMemoryConnection Opened(StreamHandler handler)
    {
        InMemoryConnection connection = Connection(handler);
        connection.PeerSends(RecordPeer.Handshake);
        connection.Run();
        return connection;
    }

    private InMemoryConnection Connection(StreamHandler handler) =>
        new(handler, 1, layers: [_ => _layer]) { CutAtRandom = false };

    private static string Plain(InMemoryConnection connection) =>
        Encoding.UTF8.GetString(RecordPeer.Unwrapped(connection.PeerReceived).Plain);

    private static byte[] Types(InMemoryConnection connection) => RecordPeer.Unwrapped(connection.PeerReceived).Types;
}
