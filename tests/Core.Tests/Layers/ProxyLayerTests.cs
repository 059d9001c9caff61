using System.Text;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>The PROXY protocol in front of a handler, at every cut of its bytes.</summary>
public sealed class ProxyLayerTests
{
    private const string Line = "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n";

    private static readonly byte[] _binary =
        [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, 0x11, 0, 12, 192, 0, 2, 1, 198, 51, 100, 7, 0xdc, 0x04, 0x01, 0xbb];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Wherever_header_and_payload_are_cut_the_handler_sees_the_payload_and_the_client(int version)
    {
        byte[] all = [.. version == 1 ? Encoding.ASCII.GetBytes(Line) : _binary, .. "hello"u8];
        for (int cut = 0; cut <= all.Length; cut++)
        {
            AssertServed(all[..cut], all[cut..]);
        }

        AssertServed([.. all.Select(static next => new[] { next })]);
    }

    [Fact]
    public void Whom_the_header_names_the_handler_hears_of_before_the_first_byte_and_the_proxy_stays_known()
    {
        PeerAddress? atOpen = null;
        InMemoryConnection connection = Connection(new ScriptedHandler
        {
            Open = turn =>
            {
                atOpen = turn.Peer;
                return Next.Stay;
            },
        });
        connection.Run();
        Assert.Null(atOpen);
        connection.PeerSends(Encoding.ASCII.GetBytes(Line));
        connection.Run();
        Assert.Equal("192.0.2.1:56324", atOpen.ToString());
        Assert.Equal(InMemoryConnection.Info.TransportPeer, connection.Connection.TransportPeer);
        Assert.Equal("198.51.100.7:443", connection.Connection.Get<ProxyHeader>()!.Destination.ToString());
        Assert.Null(connection.Connection.Get<string>());
    }

    [Fact]
    public void A_proxy_that_speaks_for_itself_stays_the_peer()
    {
        InMemoryConnection connection = Connection(new ScriptedHandler());
        connection.PeerSends("PROXY UNKNOWN\r\nhello"u8);
        connection.Run();
        Assert.Equal(InMemoryConnection.Info.TransportPeer, connection.Connection.Peer);
        Assert.True(connection.Connection.Get<ProxyHeader>()!.IsLocal);
        Assert.Equal("hello", Received(connection));
    }

    [Fact]
    public void Who_is_not_trusted_is_refused_and_counted_without_a_call_of_the_handler()
    {
        ScriptedHandler handler = new();
        InMemoryConnection connection = Connection(handler, AddressRange.Parse("10.0.0.0/8"));
        connection.PeerSends(Encoding.ASCII.GetBytes(Line + "hello"));
        connection.PeerEnds();
        connection.Run();
        Assert.Equal(CloseReason.PeerRefused, connection.Ended);
        Assert.Equal(1, connection.Ledger.Read().Closed(CloseReason.PeerRefused));
        Assert.Contains("not accepted", connection.LayerFailure, StringComparison.Ordinal);
        Assert.Empty(handler.Told);
        Assert.Equal(CloseReason.PeerRefused, handler.Closed);
        Assert.Empty(connection.PeerReceived.ToArray());
        Assert.Equal(0, connection.RentedBytes);
    }

    [Fact]
    public void What_is_no_header_closes_the_connection_in_order_and_the_handler_hears_nothing_of_it()
    {
        ScriptedHandler handler = new();
        InMemoryConnection connection = Connection(handler);
        connection.PeerSends("GET / HTTP/1.1\r\n\r\n"u8);
        connection.Run();
        connection.PeerEnds();
        connection.Run();
        Assert.Equal(CloseReason.LayerFailed, connection.Ended);
        Assert.False(connection.WasReset);
        Assert.Contains("begins as neither", connection.LayerFailure, StringComparison.Ordinal);
        Assert.Empty(handler.Told);
    }

    [Theory]
    [InlineData("", CloseReason.Completed)]
    [InlineData("PROXY TCP4 192.0.2.1", CloseReason.Truncated)]
    public void An_end_within_the_header_is_a_truncation_and_one_before_it_is_a_health_check(string sent, CloseReason reason)
    {
        ScriptedHandler handler = new();
        InMemoryConnection connection = Connection(handler);
        connection.PeerSends(Encoding.ASCII.GetBytes(sent));
        connection.PeerEnds();
        connection.Run();
        Assert.Equal(reason, connection.Ended);
        Assert.Empty(handler.Told);
        Assert.Equal(0, connection.RentedBytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("PROXY TCP4 192.0.2.1")]
    [InlineData(Line)]
    public void The_first_byte_is_the_first_behind_the_header(string sent)
    {
        TimeSpan second = TimeSpan.FromSeconds(1);
        StreamLimits limits = StreamLimits.Default with { FirstByteTimeout = 3 * second };
        InMemoryConnection connection = new(
            new ScriptedHandler(), 1, limits, layers: [ProxyProtocol.Accept([AddressRange.Parse("127.0.0.0/8")])]);
        connection.PeerSends(Encoding.ASCII.GetBytes(sent));
        connection.Advance(2.9 * second);
        Assert.False(connection.ServerFinished);
        connection.Advance(second);
        Assert.Equal(CloseReason.FirstByteTimeout, connection.Ended);
    }

    [Theory]
    [InlineData(1, "PROXY TCP4 127.0.0.1 127.0.0.1 6789 50000\r\nHELO")]
    [InlineData(2, null)]
    public void A_client_says_it_before_its_first_byte(int version, string? expected)
    {
        ScriptedHandler handler = new()
        {
            Open = static turn =>
            {
                turn.Output.Write("HELO"u8);
                return Next.Stay;
            },
        };
        InMemoryConnection connection = new(handler, 1, layers: [ProxyProtocol.Send(version)]);
        connection.PeerSends("answer"u8);
        connection.PeerEnds();
        connection.Run();
        Assert.EndsWith("HELOanswer", Received(connection), StringComparison.Ordinal);
        Assert.StartsWith(expected ?? "\r\n\r\n\0\r\nQUIT\n", Received(connection), StringComparison.Ordinal);
        Assert.Equal(CloseReason.Completed, connection.Ended);
        Assert.Equal(0, connection.RentedBytes);
    }

    [Fact]
    public void A_flush_is_told_of_the_handlers_bytes_and_not_of_the_headers()
    {
        ScriptedHandler handler = new();
        InMemoryConnection connection = new(handler, 1, layers: [ProxyProtocol.Send(2)]);
        connection.Run();
        Assert.Equal(["open"], handler.Told);
        connection.PeerSends("a"u8);
        connection.Run();
        Assert.Equal(["open", "bytes", "flushed"], handler.Told);
    }

    private static void AssertServed(params byte[][] pieces)
    {
        ScriptedHandler handler = new();
        InMemoryConnection connection = Connection(handler);
        foreach (byte[] piece in pieces)
        {
            connection.PeerSends(piece);
            connection.Run();
        }

        Assert.Equal("192.0.2.1:56324", connection.Connection.Peer.ToString());
        Assert.Equal("hello", Received(connection));
        Assert.Equal(0, connection.RentedBytes);
        connection.PeerEnds();
        connection.Run();
        Assert.Equal(CloseReason.Completed, connection.Ended);
        Assert.Equal("open", handler.Told[0]);
        Assert.Single(handler.Told, "end");
    }

    private static InMemoryConnection Connection(StreamHandler handler, AddressRange? trusted = null) =>
        new(handler, 1, layers: [ProxyProtocol.Accept([trusted ?? AddressRange.Parse("127.0.0.0/8")])]) { CutAtRandom = false };

    private static string Received(InMemoryConnection connection) => Encoding.Latin1.GetString(connection.PeerReceived);
}
