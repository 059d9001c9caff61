using System.Buffers;
using System.Text;
using CsCheck;
using Doorbell.Coap;
using Doorbell.Coap.Codec;

namespace Doorbell.Tests;

/// <summary>A stranger gets little until he has shown that he is where he says (RFC 9175 section 2).</summary>
public sealed class CoapEchoTests
{
    private int _effects;

    [Fact]
    public void A_small_answer_needs_no_proof()
    {
        CoapPeer peer = new(NewServer(), CoapPeer.Stranger);
        Assert.Equal("ACK 2.04 done", peer.Post("effect", "something"));
        Assert.Equal("ACK 2.05 small", peer.Get("small"));
    }

    [Fact]
    public void A_large_answer_without_effect_takes_proof_once()
    {
        CoapServer server = NewServer();
        CoapPeer peer = new(server, CoapPeer.Stranger);
        Assert.Equal("ACK 4.01 echo", peer.Get("large"));
        Assert.StartsWith("ACK 2.05 b2=0/more/1024", peer.Get("large", Echo(peer)), StringComparison.Ordinal);
        Assert.StartsWith("ACK 2.05 b2=1/last/1024", peer.Get("large", CoapPeer.Block2(1, 6)), StringComparison.Ordinal);
        peer.Now = TimeSpan.FromMinutes(5);
        server.Tick(peer.Now);
        Assert.Equal("ACK 4.01 echo", peer.Get("large"));
        Assert.Equal(2, server.Counts.Challenges);
    }

    /// <summary>GET has no effect, whatever else the resource does.</summary>
    [Fact]
    public void A_large_answer_to_GET_takes_proof_too()
    {
        CoapServer server = NewServer();
        CoapPeer peer = new(server, CoapPeer.Stranger);
        Assert.Equal("ACK 4.01 echo", peer.Get("effect"));
        Assert.Equal(0, server.Exchanges);
        Assert.StartsWith("ACK 2.05 b2=0/more/1024", peer.Get("effect", Echo(peer)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_request_whose_answer_may_be_large_takes_proof_before_its_effect()
    {
        CoapPeer peer = new(NewServer(), CoapPeer.Stranger);
        Assert.Equal("ACK 4.01 echo", peer.Post("heavy", "something"));
        Assert.Equal("ACK 4.01 echo", peer.SendAgain());
        Assert.Equal(0, _effects);
        Assert.StartsWith("ACK 2.04 ", peer.Post("heavy", "something", Echo(peer)), StringComparison.Ordinal);
        Assert.Equal(1, _effects);
    }

    /// <summary>A duplicate brings the same value 45 seconds later, and what it is sent back with may be as long on its way.</summary>
    [Fact]
    public void A_proof_is_good_for_as_long_as_it_may_be_on_its_way_whenever_it_was_asked_for()
    {
        for (int second = 0; second < 240; second++)
        {
            CoapPeer peer = new(NewServer(), CoapPeer.Stranger) { Now = TimeSpan.FromSeconds(second) };
            Assert.Equal("ACK 4.01 echo", peer.Post("heavy", "something"));
            peer.Now += CoapClientLimits.MaxTransmitSpan;
            Assert.Equal("ACK 4.01 echo", peer.SendAgain());
            peer.Now += CoapClientLimits.MaxTransmitSpan;
            Assert.StartsWith("ACK 2.04 ", peer.Post("heavy", "something", Echo(peer)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_challenged_request_that_comes_doubled_behind_the_proof_has_no_effect()
    {
        CoapServer server = NewServer();
        CoapPeer peer = new(server, CoapPeer.Stranger);
        peer.Post("heavy", "something");
        byte[] challenged = peer.Sent;
        Assert.StartsWith("ACK 2.04 ", peer.Post("heavy", "something", Echo(peer)), StringComparison.Ordinal);
        Assert.StartsWith("ACK 4.01 ", CoapPeer.Show(server.Received(challenged, CoapPeer.Stranger, peer.Now)), StringComparison.Ordinal);
        Assert.Equal(1, _effects);
    }

    [Fact]
    public void After_an_effect_nobody_is_asked_for_proof_a_large_answer_comes_in_small_blocks()
    {
        CoapPeer peer = new(NewServer(), CoapPeer.Stranger);
        string first = peer.Post("effect", "*");
        Assert.StartsWith("ACK 2.04 b2=0/more/16 ", first, StringComparison.Ordinal);
        Assert.True(peer.Got.Length <= 3 * peer.Sent.Length);
        StringBuilder all = new(peer.Text());
        (int, byte[])[] proof = [];
        for (int block = 1; all.Length < 2000; block++)
        {
            string answer = peer.Post("effect", "", [CoapPeer.Block2(block, 0), .. proof]);
            if (answer == "ACK 4.01 echo")
            {
                proof = [Echo(peer)];
                answer = peer.Post("effect", "", [CoapPeer.Block2(block, 0), .. proof]);
            }

            Assert.StartsWith($"ACK 2.04 b2={block}/", answer, StringComparison.Ordinal);
            all.Append(peer.Text());
        }

        Assert.Equal((new string('x', 2000), 1), (all.ToString(), _effects));
    }

    [Fact]
    public void Of_a_stranger_who_sends_blocks_the_challenge_alone_is_kept()
    {
        CoapServer server = NewServer();
        CoapPeer peer = new(server, CoapPeer.Stranger);
        string body = new('b', 100);
        Assert.Equal("ACK 4.01 echo", peer.PostBlock("effect", body, 0, 2));
        Assert.Equal((0, 1), (server.Bodies, server.Exchanges));
        Assert.Equal("ACK 2.31 b1=0/more/64", peer.PostBlock("effect", body, 0, 2, Echo(peer)));
        Assert.Equal("ACK 2.04 b1=1/last/64 done", peer.PostBlock("effect", body, 1, 2));
    }

    [Fact]
    public void A_value_is_good_for_its_peer_and_its_time_alone()
    {
        CoapServer server = NewServer();
        CoapPeer peer = new(server, CoapPeer.Stranger);
        CoapPeer other = new(server, PeerAddress.IPv4(0x0a000001, 40_001));
        peer.Get("large");
        (int Number, byte[] Value) echo = Echo(peer);
        Assert.Equal("ACK 4.01 echo", other.Get("large", echo));
        Assert.Equal("ACK 4.01 echo", peer.Get("large", (echo.Number, echo.Value[1..])));
        Assert.Equal("ACK 4.01 echo", peer.Get("large", (echo.Number, [.. echo.Value[..7], (byte)(echo.Value[7] ^ 1)])));
        peer.Now = 2 * CoapServerLimits.Default.EchoWindow;
        Assert.Equal("ACK 4.01 echo", peer.Get("large", echo));
        peer.Now -= TimeSpan.FromSeconds(1);
        Assert.StartsWith("ACK 2.05", peer.Get("large", echo), StringComparison.Ordinal);
    }

    [Fact]
    public void Another_server_with_the_same_key_knows_the_value()
    {
        byte[] key = [.. Enumerable.Range(0, 32).Select(static i => (byte)i)];
        CoapPeer peer = new(NewServer(key: key), CoapPeer.Stranger);
        peer.Get("large");
        CoapPeer same = new(NewServer(key: key), CoapPeer.Stranger);
        Assert.StartsWith("ACK 2.05", same.Get("large", Echo(peer)), StringComparison.Ordinal);
        Assert.Equal("ACK 4.01 echo", new CoapPeer(NewServer(), CoapPeer.Stranger).Get("large", Echo(peer)));
    }

    [Fact]
    public void The_oldest_proof_makes_way()
    {
        CoapServer server = NewServer(CoapServerLimits.Default with { MaxProvedPeers = 2 });
        PeerAddress[] addresses = [.. Enumerable.Range(1, 3).Select(static i => PeerAddress.IPv4(0x0a000000, (ushort)i))];
        foreach (PeerAddress address in addresses)
        {
            CoapPeer peer = new(server, address);
            peer.Get("large");
            peer.Get("large", Echo(peer));
        }

        Assert.Equal([false, true, true], addresses.Select(address => server.IsProved(address, default)));
    }

    [Fact]
    public void On_this_machine_nobody_has_to_prove_anything()
    {
        foreach (PeerAddress near in new[] { CoapPeer.Near, PeerAddress.IPv6(1, 9, 0), PeerAddress.FromUnix("/run/peer") })
        {
            Assert.StartsWith("ACK 2.05 b2=0/more/1024", new CoapPeer(NewServer(), near).Get("large"), StringComparison.Ordinal);
        }
    }

    /// <summary>Whatever a stranger sends, and however often, each datagram gets at most three times its bytes.</summary>
    [Fact]
    public void No_bytes_get_more_than_three_times_as_many() =>
        Gen.Select(
            Gen.OneOfConst("effect", "heavy", "large", "small", "slow", "fails", ".well-known/core", "none", ""),
            Gen.Byte.Array[0, 40], Gen.Int[0, 5], Gen.Int[0, 1], Gen.Int[-1, 255], Gen.Int[-1, 255], Gen.Int[0, 8]).Sample(
            (path, body, method, type, block1, block2, token) =>
            {
                CoapServer server = NewServer();
                byte[] bytes = new byte[512];
                CoapWriter writer = new(bytes, (CoapType)type, new CoapCode((byte)method), 7, new CoapToken(0, token));
                foreach (string segment in path.Split('/').Where(static segment => segment.Length > 0))
                {
                    writer.Option(CoapOptionNumber.UriPath, Encoding.UTF8.GetBytes(segment));
                }

                foreach ((int number, int value) in new[] { (CoapOptionNumber.Block2, block2), (CoapOptionNumber.Block1, block1) })
                {
                    if (value >= 0)
                    {
                        writer.Option(number, (uint)value);
                    }
                }

                writer.Payload(body);
                for (int i = 0; i < 3; i++)
                {
                    Assert.True(Answer(server, bytes.AsSpan(0, writer.Length)) <= 3 * writer.Length);
                    Assert.False(server.TryTakeDue(TimeSpan.FromSeconds(i), default, out _, out _));
                }
            }, iter: 20_000);

    private static int Answer(CoapServer server, ReadOnlySpan<byte> datagram)
    {
        try
        {
            return server.Received(datagram, CoapPeer.Stranger, default).Length;
        }
        catch (InvalidOperationException)
        {
            return 0;
        }
    }

    /// <summary>What the last answer asked to be sent back.</summary>
    private static (int Number, byte[] Value) Echo(CoapPeer peer) => (CoapOptionNumber.Echo, peer.Option(CoapOptionNumber.Echo));

    private CoapServer NewServer(CoapServerLimits? limits = null, byte[]? key = null)
    {
        limits ??= CoapServerLimits.Default;
        CoapServer server = new(limits, new Keyed(key ?? new byte[32], key is null ? 1 : 2));
        CoapCode Large(CoapRequest request, IBufferWriter<byte> body)
        {
            _effects++;
            bool isSmall = request.Payload.Length > 1;
            Encoding.UTF8.GetBytes(isSmall ? "done" : new string('x', 2000), body);
            return request.Method == CoapCode.Get ? CoapCode.Content : CoapCode.Changed;
        }

        server.Add("effect", Large);
        server.Add("heavy", new CoapResource(Large) { MaxAnswerBytes = 2000 });
        server.Add("large", new CoapResource(Large) { HasEffect = false });
        server.Add("slow", new CoapResource(Large) { IsSlow = true });
        server.Add("fails", static (_, _) => throw new InvalidOperationException());
        server.Add("small", static (_, body) =>
        {
            body.Write("small"u8);
            return CoapCode.Content;
        });
        return server;
    }

    /// <summary>A socket whose random numbers are a seed's, but for the server's key.</summary>
    private sealed class Keyed(byte[] key, int seed) : DatagramSocketInfo
    {
        private readonly Random _random = new(seed);

        public override Endpoint Door { get; } = Endpoint.Parse("udp://127.0.0.1:5683");

        public override void FillRandom(Span<byte> bytes)
        {
            if (bytes.Length >= key.Length)
            {
                key.CopyTo(bytes);
            }
            else
            {
                _random.NextBytes(bytes);
            }
        }
    }
}
