using System.Buffers;
using System.Globalization;
using System.Text;
using CsCheck;
using Doorbell.Coap;
using Doorbell.Coap.Codec;

namespace Doorbell.Tests;

/// <summary>Bodies in blocks (RFC 7959), and the tags that tell them apart (RFC 9175).</summary>
public sealed class CoapBlockTests
{
    private static readonly string _long = string.Concat(Enumerable.Range(0, 100).Select(static i => $"{i:D3} "));
    private readonly List<string> _seen = [];

    [Fact]
    public void A_body_in_blocks_is_seen_once_and_whole()
    {
        CoapPeer peer = new(NewServer(), CoapPeer.Near);
        Assert.Equal("ACK 2.31 b1=0/more/128", peer.PostBlock("size", _long, 0, 3));
        Assert.Equal("ACK 2.31 b1=1/more/128", peer.PostBlock("size", _long, 1, 3));
        Assert.Equal("ACK 2.31 b1=2/more/128", peer.PostBlock("size", _long, 2, 3));
        Assert.Empty(_seen);
        Assert.Equal("ACK 2.04 b1=3/last/128 400", peer.PostBlock("size", _long, 3, 3));
        Assert.Equal([_long], _seen);
    }

    [Fact]
    public void The_last_block_repeated_gets_the_same_answer_and_has_no_second_effect()
    {
        CoapPeer peer = new(NewServer(), CoapPeer.Near);
        Post(peer, "size", _long, 3);
        byte[] first = peer.Got;
        peer.SendAgain();
        Assert.Equal(first, peer.Got);

        // By a message of its own too, as from a client that has given the first one up.
        Assert.Equal("ACK 2.04 b1=3/last/128 400", peer.PostBlock("size", _long, 3, 3));
        Assert.Single(_seen);
    }

    [Fact]
    public void A_block_repeated_is_no_second_piece_of_the_body()
    {
        CoapPeer peer = new(NewServer(), CoapPeer.Near);
        peer.PostBlock("size", _long, 0, 3);
        byte[] first = peer.Sent;
        peer.PostBlock("size", _long, 1, 3);
        Assert.Equal("ACK 2.31 b1=1/more/128", peer.SendAgain());
        Assert.Equal("ACK 2.31 b1=1/more/128", peer.PostBlock("size", _long, 1, 3));
        Assert.NotEqual(first, peer.Sent);
        peer.PostBlock("size", _long, 2, 3);
        Assert.Equal("ACK 2.04 b1=3/last/128 400", peer.PostBlock("size", _long, 3, 3));
        Assert.Equal([_long], _seen);
    }

    [Fact]
    public void Block_0_begins_anew_unless_it_is_a_duplicate()
    {
        CoapServer server = NewServer();
        CoapPeer peer = new(server, CoapPeer.Near);
        CoapPeer late = new(server, CoapPeer.Near);
        late.PostBlock("size", _long, 0, 3);
        peer.PostBlock("size", "x", 0, 3);
        peer.PostBlock("size", _long, 0, 3);
        peer.PostBlock("size", _long, 1, 3);
        Assert.Equal("ACK 2.31 b1=0/more/128", late.SendAgain());
        peer.PostBlock("size", _long, 2, 3);
        Assert.Equal("ACK 2.04 b1=3/last/128 400", peer.PostBlock("size", _long, 3, 3));
    }

    [Fact]
    public void A_block_that_comes_again_under_another_message_ID_is_taken_while_and_after_the_body_is_collected()
    {
        CoapPeer peer = new(NewServer(), CoapPeer.Near);
        for (int block = 0; block < 3; block++)
        {
            Assert.Equal($"ACK 2.31 b1={block}/more/128", peer.PostBlock("size", _long, block, 3));
        }

        Assert.Equal("ACK 2.31 b1=1/more/128", peer.PostBlock("size", _long, 1, 3));
        Assert.Equal("ACK 2.04 b1=3/last/128 400", peer.PostBlock("size", _long, 3, 3));
        Assert.Equal("ACK 2.31 b1=1/more/128", peer.PostBlock("size", _long, 1, 3));
        Assert.Equal("ACK 2.31 b1=2/more/128", peer.PostBlock("size", _long, 2, 3));
        Assert.Equal("ACK 2.04 b1=3/last/128 400", peer.PostBlock("size", _long, 3, 3));
        Assert.Equal([_long], _seen);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(3, false)]
    [InlineData(2, true)]
    public void A_gap_is_an_incomplete_body(int number, bool afterFirst)
    {
        CoapPeer peer = new(NewServer(), CoapPeer.Near);
        if (afterFirst)
        {
            peer.PostBlock("size", _long, 0, 3);
        }

        Assert.Equal("ACK 4.08", peer.PostBlock("size", _long, number, 3));
        Assert.Empty(_seen);
    }

    [Fact]
    public void A_block_of_the_wrong_length_is_a_bad_request() =>
        Assert.Equal("ACK 4.00", new CoapPeer(NewServer(), CoapPeer.Near).Post("size", "short", CoapPeer.Block1(0, true, 2)));

    [Fact]
    public void The_blocks_may_become_smaller_on_the_way()
    {
        CoapPeer peer = new(NewServer(), CoapPeer.Near);
        peer.PostBlock("size", _long, 0, 4);
        for (int block = 4; block < 6; block++)
        {
            Assert.Equal($"ACK 2.31 b1={block}/more/64", peer.PostBlock("size", _long, block, 2));
        }

        Assert.Equal("ACK 2.04 b1=3/last/128 400", peer.PostBlock("size", _long, 3, 3));
        Assert.Equal([_long], _seen);
    }

    [Fact]
    public void A_body_too_large_is_refused_with_the_size_that_is_not_as_soon_as_it_is_known()
    {
        CoapServer server = NewServer(CoapServerLimits.Default with { MaxBodyBytes = 256 });
        CoapPeer peer = new(server, CoapPeer.Near);
        (int, byte[]) size = (CoapOptionNumber.Size1, CoapPeer.Numeric(400));
        Assert.Equal("ACK 4.13 size1=256", peer.PostBlock("size", _long, 0, 3, size));
        Assert.Equal("ACK 2.31 b1=0/more/128", peer.PostBlock("size", _long, 0, 3));
        Assert.Equal("ACK 2.31 b1=1/more/128", peer.PostBlock("size", _long, 1, 3));
        Assert.Equal("ACK 4.13 size1=256", peer.PostBlock("size", _long, 2, 3));
        Assert.Equal("ACK 4.08", peer.PostBlock("size", _long, 3, 3));
        Assert.Empty(_seen);
        Assert.Equal((0, 2), (server.Bodies, (int)server.Counts.RefusedBodies));
    }

    [Fact]
    public void Bodies_of_two_tags_at_once_are_not_mixed()
    {
        CoapPeer peer = new(NewServer(), CoapPeer.Near);
        string other = _long.ToUpperInvariant().Replace('0', 'x');
        for (int block = 0; block < 4; block++)
        {
            peer.PostBlock("size", _long, block, 3, CoapPeer.Tag(1));
            peer.PostBlock("size", other, block, 3, CoapPeer.Tag(2));
        }

        Assert.Equal([_long, other], _seen);
    }

    [Fact]
    public void Bodies_are_bounded_in_all_and_of_one_peer_and_in_time()
    {
        CoapServer server = NewServer(CoapServerLimits.Default with { MaxBodies = 3, MaxBodiesPerPeer = 2 });
        CoapPeer greedy = new(server, CoapPeer.Near);
        for (byte tag = 0; tag < 3; tag++)
        {
            Assert.Equal("ACK 2.31 b1=0/more/128", greedy.PostBlock("size", _long, 0, 3, CoapPeer.Tag(tag)));
        }

        // Its own oldest has made way, and the others go on.
        Assert.Equal("ACK 4.08", greedy.PostBlock("size", _long, 1, 3, CoapPeer.Tag(0)));
        Assert.Equal("ACK 2.31 b1=1/more/128", greedy.PostBlock("size", _long, 1, 3, CoapPeer.Tag(1)));
        CoapPeer second = new(server, PeerAddress.IPv4(0x7f000002, 1)) { Now = TimeSpan.FromSeconds(1) };
        Assert.Equal("ACK 2.31 b1=0/more/128", second.PostBlock("size", _long, 0, 3));
        greedy.Now = TimeSpan.FromSeconds(2);
        Assert.Equal("ACK 2.31 b1=1/more/128", greedy.PostBlock("size", _long, 1, 3, CoapPeer.Tag(2)));

        // The body that was touched longest ago makes way.
        CoapPeer third = new(server, PeerAddress.IPv4(0x7f000003, 1)) { Now = TimeSpan.FromSeconds(3) };
        Assert.Equal("ACK 2.31 b1=0/more/128", third.PostBlock("size", _long, 0, 3));
        Assert.Equal("ACK 4.08", greedy.PostBlock("size", _long, 2, 3, CoapPeer.Tag(1)));
        Assert.Equal("ACK 2.31 b1=1/more/128", second.PostBlock("size", _long, 1, 3));
        Assert.Equal((2, 0), ((int)server.Counts.EvictedBodies, (int)server.Counts.RefusedBodies));

        server.Tick(TimeSpan.FromSeconds(96));
        Assert.Equal((0, 3), (server.Bodies, (int)server.Counts.TimedOutBodies));
    }

    [Fact]
    public void An_answer_larger_than_a_block_comes_in_blocks_and_is_computed_once()
    {
        CoapPeer peer = new(NewServer(), CoapPeer.Near);
        string answer = Fetch(peer, peer.Post("repeat", "5000"), "repeat", CoapCode.Post);
        Assert.Equal(Repeated(5000), answer);
        Assert.Single(_seen);
    }

    [Fact]
    public void The_first_block_tells_the_size_and_all_have_one_ETag()
    {
        CoapPeer peer = new(NewServer(), CoapPeer.Near);
        Assert.StartsWith("ACK 2.04 b2=0/more/1024 size2=2000 ", peer.Post("repeat", "2000"), StringComparison.Ordinal);
        byte[] tag = peer.Option(CoapOptionNumber.ETag);
        Assert.StartsWith("ACK 2.04 b2=1/last/1024 ", peer.Post("repeat", "", CoapPeer.Block2(1, 6)), StringComparison.Ordinal);
        Assert.Equal(tag, peer.Option(CoapOptionNumber.ETag));
        peer.Post("repeat", "2001");
        Assert.NotEqual(tag, peer.Option(CoapOptionNumber.ETag));
    }

    [Fact]
    public void The_client_may_ask_for_smaller_blocks()
    {
        CoapPeer peer = new(NewServer(), CoapPeer.Near);
        Assert.Equal("ACK 2.04 b2=0/last/32 012", peer.Post("repeat", "3", CoapPeer.Block2(0, 1)));
        string first = peer.Post("repeat", "100", CoapPeer.Block2(0, 1));
        Assert.StartsWith("ACK 2.04 b2=0/more/32 size2=100 ", first, StringComparison.Ordinal);
        Assert.Equal(Repeated(100), Fetch(peer, first, "repeat", CoapCode.Post));
    }

    [Fact]
    public void A_body_in_blocks_may_be_answered_in_blocks()
    {
        CoapPeer peer = new(NewServer(), CoapPeer.Near);
        string body = Repeated(3000);
        string first = Post(peer, "echo", body, 6);
        Assert.StartsWith("ACK 2.04 b2=0/more/1024 b1=2/last/1024 size2=3000 ", first, StringComparison.Ordinal);
        Assert.Equal(body, Fetch(peer, first, "echo", CoapCode.Post));
        Assert.Single(_seen);
    }

    [Fact]
    public void A_block_of_an_answer_that_is_forgotten_is_computed_again_for_GET_alone()
    {
        CoapServer server = NewServer();
        CoapPeer peer = new(server, CoapPeer.Near);
        string all = Fetch(peer, peer.Get("pi"), "pi", CoapCode.Get);
        byte[] tag = peer.Option(CoapOptionNumber.ETag);
        server.Tick(TimeSpan.FromSeconds(100));
        Assert.Equal(0, server.Bodies);
        Assert.StartsWith("ACK 2.05 b2=1/last/1024 ", peer.Get("pi", CoapPeer.Block2(1, 6)), StringComparison.Ordinal);
        Assert.Equal(tag, peer.Option(CoapOptionNumber.ETag));
        Assert.Equal(all[1024..], peer.Text());
        Assert.Equal("ACK 4.00", peer.Get("pi", CoapPeer.Block2(2, 6)));
        Assert.Equal("ACK 4.08", peer.Post("repeat", "", CoapPeer.Block2(1, 6)));
        Assert.Empty(_seen);
    }

    [Fact]
    public void An_answer_past_the_bound_is_the_servers_failure()
    {
        CoapPeer peer = new(NewServer(CoapServerLimits.Default with { MaxBodyBytes = 4096 }), CoapPeer.Near);
        Assert.Equal("ACK 5.00", peer.Post("repeat", "4097"));
    }

    /// <summary>Whatever the sizes, the bounds of a datagram, and which blocks come twice.</summary>
    [Fact]
    public void Any_body_comes_back_whole() => Gen.Select(Gen.Int[0, 5000], Gen.Int[0, 6], Gen.Int[80, 2000], Gen.Int[0, 1000]).Sample(
        static (length, exponent, maxMessage, seed) =>
        {
            int effects = 0;
            CoapServer server = new(CoapServerLimits.Default with { MaxMessageBytes = maxMessage }, TestSocket.Of(seed));
            server.Add("echo", (request, body) =>
            {
                effects++;
                body.Write(request.Payload);
                return CoapCode.Changed;
            });
            CoapPeer peer = new(server, CoapPeer.Near);
            string sent = Repeated(length);
            Random twice = new(seed);
            string first = Post(peer, "echo", sent, exponent, twice);
            Assert.True(peer.Got.Length <= maxMessage);
            Assert.Equal(sent, Fetch(peer, first, "echo", CoapCode.Post, twice));
            Assert.Equal(1, effects);
        }, iter: 300);

    private static string Repeated(int length) => string.Concat(Enumerable.Range(0, length).Select(static i => (char)('0' + (i % 75))));

    /// <summary>Sends a body in blocks, some of them twice.</summary>
    private static string Post(CoapPeer peer, string path, string body, int exponent, Random? twice = null)
    {
        string answer = "";
        for (int block = 0; block == 0 || block * (16 << exponent) < body.Length; block++)
        {
            answer = peer.PostBlock(path, body, block, exponent);
            Assert.True(twice?.Next(4) != 0 || peer.SendAgain() == answer);
        }

        return answer;
    }

    /// <summary>From the first answer to the whole body.</summary>
    private static string Fetch(CoapPeer peer, string first, string path, CoapCode method, Random? twice = null)
    {
        StringBuilder all = new(peer.Text());
        while (first.Contains("b2=", StringComparison.Ordinal) && first.Contains("/more/", StringComparison.Ordinal))
        {
            Assert.Equal(CoapFormatError.None, CoapMessage.TryRead(peer.Got, out CoapMessage message));
            Assert.True(message.Options.TryGet(CoapOptionNumber.Block2, out CoapOption option));
            Assert.True(CoapBlock.TryRead(option, out CoapBlock block));
            first = peer.Send(CoapType.Confirmable, method, path, [], CoapPeer.Block2(block.Number + 1, block.SizeExponent));
            Assert.True(twice?.Next(4) != 0 || peer.SendAgain() == first);
            all.Append(peer.Text());
        }

        return all.ToString();
    }

    private CoapServer NewServer(CoapServerLimits? limits = null)
    {
        CoapServer server = new(limits ?? CoapServerLimits.Default, TestSocket.Of(1));
        server.Add("size", (request, body) =>
        {
            _seen.Add(Encoding.UTF8.GetString(request.Payload));
            Encoding.UTF8.GetBytes(request.Payload.Length.ToString(CultureInfo.InvariantCulture), body);
            return CoapCode.Changed;
        });
        server.Add("repeat", (request, body) =>
        {
            _seen.Add(Encoding.UTF8.GetString(request.Payload));
            Encoding.UTF8.GetBytes(Repeated(int.Parse(request.Payload, CultureInfo.InvariantCulture)), body);
            return CoapCode.Changed;
        });
        server.Add("echo", (request, body) =>
        {
            _seen.Add(Encoding.UTF8.GetString(request.Payload));
            body.Write(request.Payload);
            return CoapCode.Changed;
        });
        server.Add("pi", static (_, body) =>
        {
            Encoding.UTF8.GetBytes(Repeated(1500), body);
            return CoapCode.Content;
        });
        return server;
    }
}
