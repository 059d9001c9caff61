using System.Text;
using Doorbell.Coap;
using Doorbell.Coap.Codec;
using Doorbell.Sessions;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>A server at a multicast group (RFC 7252 section 8.2).</summary>
public sealed class CoapGroupTests
{
    private static readonly TimeSpan _leisure = TimeSpan.FromSeconds(5);

    private readonly CoapServer _server = Server(1, "udp://224.0.1.187:5683");
    private readonly CoapPeer _peer;

    public CoapGroupTests() => _peer = new CoapPeer(_server, CoapPeer.Near);

    [Theory]
    [InlineData("udp://224.0.1.187:5683")]
    [InlineData("udp://[ff02::fd%1]:5683")]
    public void An_answer_comes_within_the_leisure_and_not_at_once(string door)
    {
        List<TimeSpan> moments = [];
        for (int seed = 0; seed < 40; seed++)
        {
            CoapServer server = Server(seed, door);
            CoapPeer peer = new(server, CoapPeer.Near);
            peer.Send(CoapType.NonConfirmable, CoapCode.Get, "known", []);
            Assert.Empty(peer.Got);
            TimeSpan due = server.Deadline!.Value;
            Assert.InRange(due, TimeSpan.Zero, _leisure);
            Assert.False(server.TryTakeDue(due - TimeSpan.FromTicks(1), default, out _, out _));
            Assert.True(server.TryTakeDue(due, default, out DatagramPath path, out ReadOnlySpan<byte> datagram));
            Assert.Equal(CoapPeer.Near, path.Peer);
            _ = CoapMessage.TryRead(datagram, out CoapMessage answer);
            Assert.Equal((CoapType.NonConfirmable, CoapCode.Content), (answer.Type, answer.Code));
            Assert.False(server.TryTakeDue(due + _leisure, default, out _, out _));
            moments.Add(due);
        }

        Assert.True(moments.Max() - moments.Min() > _leisure / 2, "the members answer at different moments");
    }

    [Fact]
    public void Nothing_is_said_that_is_of_no_use()
    {
        _peer.Send(CoapType.NonConfirmable, CoapCode.Get, "unknown", []);
        _peer.Send(CoapType.NonConfirmable, CoapCode.Delete, "known", []);
        _peer.Send(CoapType.NonConfirmable, CoapCode.Get, "empty", []);
        _peer.Send(CoapType.NonConfirmable, CoapCode.Get, "slow-error", []);
        _peer.Send(CoapType.NonConfirmable, CoapCode.Get, ".well-known/core", [], Query("rt=lamp"));
        Assert.Equal("", Answers());
    }

    /// <summary>What is no request, or asks to be acknowledged, is not reset: each member would.</summary>
    [Fact]
    public void Nothing_is_acknowledged_or_reset()
    {
        _peer.Send(CoapType.Confirmable, CoapCode.Get, "known", []);
        Assert.Empty(_peer.Got);
        _peer.Send(CoapType.Confirmable, CoapCode.Empty, "", []);
        Assert.Empty(_peer.Got);
        _peer.Send(CoapType.NonConfirmable, CoapCode.Content, "", []);
        Assert.Empty(_peer.Got);
        Assert.Empty(_server.Received([0x40, 0, 0, 1], CoapPeer.Near, default).ToArray());
        Assert.Empty(_server.Received([0x50, 1, 0, 1, 0xff], CoapPeer.Near, default).ToArray());
        Assert.Equal("", Answers());
    }

    [Fact]
    public void A_request_that_comes_twice_is_answered_once()
    {
        _peer.Send(CoapType.NonConfirmable, CoapCode.Post, "known", "x"u8.ToArray());
        _peer.SendAgain();
        _peer.Now = TimeSpan.FromSeconds(6);
        Assert.Equal("2.04 done", Answers());
        _peer.SendAgain();
        Assert.Equal("", Answers());
    }

    [Fact]
    public void A_slow_resource_answers_with_leisure_too()
    {
        _peer.Send(CoapType.NonConfirmable, CoapCode.Get, "slow", []);
        Assert.False(_server.TryTakeDue(TimeSpan.Zero, default, out _, out _));
        Assert.Equal("2.05 late", Answers());
    }

    /// <summary>Its address may be forged: it is asked to prove it, by the one error that is of use.</summary>
    [Fact]
    public void A_stranger_gets_no_more_than_the_amplification_bound_allows()
    {
        CoapPeer stranger = new(_server, CoapPeer.Stranger);
        stranger.Send(CoapType.NonConfirmable, CoapCode.Get, "large", []);
        Assert.StartsWith("4.01", Answers(), StringComparison.Ordinal);
    }

    /// <summary>RFC 7641 knows one server.</summary>
    [Fact]
    public void A_group_is_not_observed()
    {
        _server.Add("clock", new CoapResource(static (_, body) => Say(body, "1", CoapCode.Content)) { ChangesEvery = _leisure });
        _peer.Send(CoapType.NonConfirmable, CoapCode.Get, "clock", [], (CoapOptionNumber.Observe, []));
        Assert.Equal(("2.05 1", 0), (Answers(), _server.Observations));
    }

    [Theory]
    [InlineData("href=/known", "</known>;ct=0")]
    [InlineData("href=/k*", "</known>;ct=0")]
    [InlineData("ct=0", "</known>;ct=0")]
    [InlineData("ct=1", "")]
    [InlineData("rt=lamp", "")]
    [InlineData("href=/nowhere", "")]
    public void Discovery_lists_what_the_query_asks_for(string query, string links)
    {
        CoapPeer peer = new(Server(1, "udp://127.0.0.1:5683"), CoapPeer.Near);
        peer.Send(CoapType.Confirmable, CoapCode.Get, ".well-known/core", [], Query(query));
        _ = CoapMessage.TryRead(peer.Got, out CoapMessage answer);
        Assert.Equal(CoapCode.Content, answer.Code);
        Assert.Equal(links, Encoding.UTF8.GetString(answer.Payload));
    }

    private static CoapServer Server(int seed, string door)
    {
        CoapServer server = new(CoapServerLimits.Default, new SimulatedSocketInfo(Endpoint.Parse(door), new Random(seed)));
        server.Add("known", new CoapResource(static (request, body) => Say(body, "done", request.Method == CoapCode.Post
            ? CoapCode.Changed
            : CoapCode.Content)) { Methods = [CoapCode.Get, CoapCode.Post], ContentFormat = 0 });
        server.Add("empty", static (_, _) => CoapCode.Content);
        server.Add("large", new CoapResource(static (_, body) => Say(body, new string('l', 500), CoapCode.Content)) { HasEffect = false });
        server.Add("slow", new CoapResource(static (_, body) => Say(body, "late", CoapCode.Content)) { IsSlow = true });
        server.Add("slow-error", new CoapResource(static (_, _) => CoapCode.NotFound) { IsSlow = true });
        return server;
    }

    private static CoapCode Say(System.Buffers.IBufferWriter<byte> body, string text, CoapCode code)
    {
        Encoding.UTF8.GetBytes(text, body);
        return code;
    }

    private static (int Number, byte[] Value) Query(string text) => (CoapOptionNumber.UriQuery, Encoding.UTF8.GetBytes(text));

    /// <summary>All that is sent once the leisure is over.</summary>
    private string Answers()
    {
        List<string> all = [];
        while (_server.TryTakeDue(_peer.Now + _leisure, default, out _, out ReadOnlySpan<byte> datagram))
        {
            _ = CoapMessage.TryRead(datagram, out CoapMessage answer);
            all.Add($"{answer.Code} {Encoding.UTF8.GetString(answer.Payload)}");
        }

        return string.Join("|", all);
    }
}
