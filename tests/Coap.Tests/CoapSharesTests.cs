using System.Buffers;
using System.Text;
using Doorbell.Coap;
using Doorbell.Coap.Codec;

namespace Doorbell.Tests;

/// <summary>
/// An address with many ports, or an IPv6 network with many addresses, takes no more of a server's tables than one peer may.
/// </summary>
public sealed class CoapSharesTests
{
    private static readonly string _body = new('b', 200);
    private static readonly PeerAddress _newcomer = PeerAddress.IPv4(0x7f000063, 9);
    private readonly List<string> _seen = [];

    /// <summary>Ports of one address, and addresses of one /64.</summary>
    public static TheoryData<string> Crowds => ["ports", "network"];

    [Theory]
    [MemberData(nameof(Crowds))]
    public void Bodies_of_requests_leave_room_for_others(string crowd)
    {
        CoapServer server = NewServer(CoapServerLimits.Default with { MaxAmplification = 0 });
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal("ACK 2.31 b1=0/more/64", new CoapPeer(server, OneOf(crowd, i)).PostBlock("echo", _body, 0, 2));
        }

        Assert.Equal(16, server.Bodies);
        CoapPeer newcomer = new(server, _newcomer);
        Assert.Equal("ACK 2.31 b1=0/more/64", newcomer.PostBlock("echo", _body, 0, 2));
        for (int i = 0; i < 100; i++)
        {
            new CoapPeer(server, OneOf(crowd, i)).PostBlock("echo", _body, 0, 2);
        }

        for (int block = 1; block < 4; block++)
        {
            Assert.StartsWith(block < 3 ? "ACK 2.31" : "ACK 2.04", newcomer.PostBlock("echo", _body, block, 2), StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Crowds))]
    public void Bodies_of_answers_leave_those_of_others(string crowd)
    {
        CoapServer server = NewServer(CoapServerLimits.Default with { MaxAmplification = 0 });
        CoapPeer first = new(server, _newcomer);
        Assert.StartsWith("ACK 2.04 b2=0/more/1024", first.Post("large", "x"), StringComparison.Ordinal);
        for (int i = 0; i < 100; i++)
        {
            new CoapPeer(server, OneOf(crowd, i)).Post("large", "x");
        }

        Assert.Equal(17, server.Bodies);
        Assert.StartsWith("ACK 2.04 b2=1/last/1024", first.Post("large", "", CoapPeer.Block2(1, 6)), StringComparison.Ordinal);
    }

    /// <summary>A full table takes a newcomer at any time, in the place of the body that was touched longest ago.</summary>
    [Fact]
    public void With_all_places_taken_a_newcomer_is_served()
    {
        CoapServer server = NewServer(CoapServerLimits.Default);
        for (uint host = 0; host < 64; host++)
        {
            CoapPeer peer = new(server, PeerAddress.IPv4(0x7f000100 + host, 1)) { Now = TimeSpan.FromMilliseconds(host) };
            Assert.Equal("ACK 2.31 b1=0/more/64", peer.PostBlock("echo", _body, 0, 2));
        }

        CoapPeer newcomer = new(server, _newcomer) { Now = TimeSpan.FromSeconds(1) };
        for (int block = 0; block < 4; block++)
        {
            Assert.StartsWith(block < 3 ? "ACK 2.31" : "ACK 2.04", newcomer.PostBlock("echo", _body, block, 2), StringComparison.Ordinal);
        }

        Assert.Equal((1, 0), ((int)server.Counts.EvictedBodies, (int)server.Counts.RefusedBodies));
    }

    [Theory]
    [MemberData(nameof(Crowds))]
    public void Exchanges_of_others_are_remembered(string crowd)
    {
        CoapServer server = NewServer(CoapServerLimits.Default with { MaxAmplification = 0, MaxExchanges = 100 });
        List<CoapPeer> honest = [];
        for (uint host = 0; host < 20; host++)
        {
            honest.Add(new CoapPeer(server, PeerAddress.IPv4(0x7f000100 + host, 1)));
            honest[^1].Post("echo", $"honest {host}");
            for (int i = 0; i < 40; i++)
            {
                new CoapPeer(server, OneOf(crowd, ((int)host * 40) + i)).Post("echo", "crowd");
            }
        }

        Assert.Equal(100, server.Exchanges);
        int effects = _seen.Count;
        honest.ForEach(static peer => peer.SendAgain());
        Assert.Equal(effects, _seen.Count);
    }

    /// <summary>The proofs of a crowd are true ones: each has sent its Echo value back.</summary>
    [Theory]
    [MemberData(nameof(Crowds))]
    public void Proofs_of_others_are_remembered(string crowd)
    {
        CoapServer server = NewServer(CoapServerLimits.Default with { MaxProvedPeers = 20 });
        CoapPeer first = new(server, CoapPeer.Stranger);
        Prove(first);
        for (int i = 0; i < 50; i++)
        {
            Prove(new CoapPeer(server, OneOf(crowd, i)));
        }

        Assert.True(server.IsProved(CoapPeer.Stranger, default));
    }

    [Theory]
    [MemberData(nameof(Crowds))]
    public void Separate_answers_leave_room_for_others(string crowd)
    {
        CoapServer server = NewServer(CoapServerLimits.Default with { MaxAmplification = 0 });
        for (int i = 0; i < 300; i++)
        {
            Assert.Equal(i < 64 ? "ACK 0.00" : "ACK 5.03", new CoapPeer(server, OneOf(crowd, i)).Post("slow", "crowd"));
        }

        Assert.Equal(64, server.SeparateAnswers);
        Assert.Equal("ACK 0.00", new CoapPeer(server, _newcomer).Post("slow", "newcomer"));
    }

    /// <summary>Many hosts that acknowledge nothing hold the places no longer than until their answer was sent again.</summary>
    [Fact]
    public void With_all_places_taken_who_acknowledges_nothing_makes_way()
    {
        CoapServer server = NewServer(CoapServerLimits.Default with { MaxAmplification = 0, MaxSeparateAnswers = 8 });
        for (uint host = 0; host < 8; host++)
        {
            Assert.Equal("ACK 0.00", new CoapPeer(server, PeerAddress.IPv4(0x0a000100 + host, 1)).Post("slow", "silent"));
        }

        TakeAllDue(server, default);
        CoapPeer newcomer = new(server, _newcomer);
        Assert.Equal("ACK 5.03", newcomer.Post("slow", "too early"));
        newcomer.Now = TimeSpan.FromSeconds(3);
        TakeAllDue(server, newcomer.Now);
        Assert.Equal("ACK 0.00", newcomer.Post("slow", "newcomer"));
        Assert.Equal((8, 1), (server.SeparateAnswers, (int)server.Counts.UnacknowledgedAnswers));
        TakeAllDue(server, newcomer.Now);
        Assert.Equal("newcomer", _seen[^1]);
    }

    /// <summary>RFC 7252 section 4.4: whatever others are sent in between, and however an answer goes.</summary>
    [Fact]
    public void No_message_id_comes_again_to_a_peer_within_its_lifetime()
    {
        CoapServer server = NewServer(CoapServerLimits.Default);
        CoapPeer peer = new(server, CoapPeer.Near);
        CoapPeer others = new(server, PeerAddress.IPv4(0x7f000001, 2));
        HashSet<int> ids = [];
        for (int i = 0; i < 20; i++)
        {
            string path = i % 2 == 0 ? "slow" : "small";
            CoapType type = i % 4 < 2 ? CoapType.NonConfirmable : CoapType.Confirmable;
            peer.Send(type, CoapCode.Post, path, [65]);
            while (server.TryTakeDue(peer.Now, default, out _, out ReadOnlySpan<byte> datagram))
            {
                Assert.True(ids.Add((datagram[2] << 8) | datagram[3]));
                server.Received([0x60, 0, datagram[2], datagram[3]], CoapPeer.Near, peer.Now);
            }

            Assert.True(path == "slow" || type == CoapType.Confirmable || ids.Add((peer.Got[2] << 8) | peer.Got[3]));
            for (int other = 0; other < 0xffff && i < 3; other++)
            {
                others.Send(CoapType.NonConfirmable, CoapCode.Post, "small", [65]);
            }
        }

        Assert.Equal(15, ids.Count);
    }

    private static PeerAddress OneOf(string crowd, int i) => crowd == "ports"
        ? PeerAddress.IPv4(0x0a000002, (ushort)(1000 + i))
        : PeerAddress.IPv6(((UInt128)0x20010db800000001 << 64) + (ulong)(i * 7919), 5683, 0);

    private static void Prove(CoapPeer peer)
    {
        Assert.Equal("ACK 4.01 echo", peer.Post("large", "something"));
        (int, byte[]) proof = (CoapOptionNumber.Echo, peer.Option(CoapOptionNumber.Echo));
        Assert.StartsWith("ACK 2.04", peer.Post("large", "something", proof), StringComparison.Ordinal);
    }

    private static void TakeAllDue(CoapServer server, TimeSpan now)
    {
        while (server.TryTakeDue(now, default, out _, out _))
        {
        }
    }

    private CoapServer NewServer(CoapServerLimits limits)
    {
        CoapServer server = new(limits, TestSocket.Of(1));
        CoapCode Echo(CoapRequest request, IBufferWriter<byte> body)
        {
            _seen.Add(Encoding.UTF8.GetString(request.Payload));
            body.Write(request.Payload);
            return CoapCode.Changed;
        }

        server.Add("echo", Echo);
        server.Add("slow", new CoapResource(Echo) { IsSlow = true });
        server.Add("small", new CoapResource(Echo) { HasEffect = false });
        server.Add("large", new CoapResource(static (_, body) =>
        {
            body.Write(new byte[1500]);
            return CoapCode.Changed;
        })
        { MaxAnswerBytes = 1500 });
        return server;
    }
}
