using System.Buffers;
using System.Text;
using CsCheck;
using Doorbell.Coap;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>A client of CoAP over a stream (RFC 8323): against a server that is played by hand, and against ours.</summary>
public sealed class CoapStreamClientTests
{
    private const string Ours = "7.01 2=100000 4=";
    private static readonly byte[] _big = [.. Enumerable.Range(0, 100_000).Select(static i => (byte)(i * 7))];

    private readonly List<string> _outcomes = [];
    private readonly List<string> _states = [];
    private readonly CoapStreamClientHandler _client;
    private readonly InMemoryConnection _connection;

    public CoapStreamClientTests()
    {
        _client = Client(CoapClientLimits.Default);
        _connection = new InMemoryConnection(_client, 1);
    }

    [Fact]
    public void Requests_wait_for_what_the_server_can_do_and_are_answered_in_any_order()
    {
        long first = Ask("a", "one");
        Ask("b", "two");
        _connection.Run();
        Assert.Equal([Ours], Sent());
        Assert.Equal([Ours, "0.02/00000001 11=61 one", "0.02/00000002 11=62 two"], Served(CoapStreamBytes.Csm));
        Served(CoapStreamBytes.Message(0x44, [0, 0, 0, 2], [], "2"u8.ToArray()));
        Served(CoapStreamBytes.Message(0x84, [0, 0, 0, 1], [], "1"u8.ToArray()), CoapStreamBytes.Message(0x44, [0, 0, 0, 1]));
        Assert.Equal(["2.04 2", "4.04 1"], _outcomes);
        Assert.True(_client.IsIdle);
        Assert.Equal(1, first);
    }

    [Fact]
    public void A_large_body_goes_in_one_message_if_the_server_takes_it_and_in_blocks_if_not()
    {
        Ask("a", new string('x', 3000));
        string[] sent = Served(CoapStreamBytes.Csm);
        Assert.Equal("0.02/00000001 11=61 27=0E 60=0BB8 292=01 (1024 bytes)", sent[1]);
        sent = Served(CoapStreamBytes.Message(0x5f, [0, 0, 0, 1], [(27, [0x0e])]));
        Assert.Equal("0.02/00000002 11=61 27=1E 292=01 (1024 bytes)", sent[2]);
        Served(CoapStreamBytes.Message(0xe1, [], [(2, [0x10, 0x00])]));
        Ask("b", new string('x', 3000));
        Assert.Equal("0.02/00000003 11=62 (3000 bytes)", Served()[3]);

        // The server wants blocks all the same.
        sent = Served(CoapStreamBytes.Message(0x8d, [0, 0, 0, 3], [(27, [0x0e])]));
        Assert.Equal("0.02/00000004 11=62 27=0E 60=0BB8 292=02 (1024 bytes)", sent[4]);
    }

    [Fact]
    public void An_answer_may_come_in_messages_of_several_blocks()
    {
        Ask("a", "");
        Served(CoapStreamBytes.Csm);
        byte[] eTag = [1, 2, 3];
        Served(CoapStreamBytes.Message(0x45, [0, 0, 0, 1], [(4, eTag), (23, [0x0f])], [.. Enumerable.Repeat((byte)'a', 2048)]));
        Assert.Equal("0.02/00000002 11=61 23=27", Sent()[^1]);
        Served(CoapStreamBytes.Message(0x45, [0, 0, 0, 2], [(4, eTag), (23, [0x27])], [.. Enumerable.Repeat((byte)'b', 10)]));
        Assert.Equal([$"2.05 {new string('a', 2048)}{new string('b', 10)}"], _outcomes);
    }

    [Fact]
    public void States_are_told_whatever_their_numbers_and_the_server_is_told_the_end()
    {
        long id = Observe();
        Assert.Equal("0.01/00000001 6= 11=61", Served(CoapStreamBytes.Csm)[1]);
        Served(State(5, "five"), State(5, "six"), State(1, "seven"));
        Assert.Equal(["five", "six", "seven"], _states);
        _client.Cancel(id);
        Assert.Equal("0.01/00000001 6=01 11=61", Served()[2]);
        Assert.False(_client.IsIdle);
        Served(State(9, "late"), CoapStreamBytes.Message(0x45, [0, 0, 0, 1], [], "end"u8.ToArray()));
        Assert.True(_client.IsIdle);
        Assert.Equal((3, 0), (_states.Count, _outcomes.Count));
    }

    [Theory]
    [InlineData("00e5", "the peer has aborted the connection: without saying why")]
    [InlineData("40e5ff6e6f1b", "the peer has aborted the connection: \"no\\x1b\"")]
    [InlineData("00e400e5", "the peer has aborted the connection: without saying why")]
    [InlineData("00e1", "the connection ended before the answer")]
    [InlineData("48545450", "The first message must be a CSM (RFC 8323 section 5.3).", true)]
    public void A_request_fails_when_the_connection_does(string hex, string why, bool first = false)
    {
        Ask("a", "one");
        Served(first ? Convert.FromHexString(hex + "2f312e3120343030204e6f0d0a") : [.. CoapStreamBytes.Csm, .. Convert.FromHexString(hex)]);
        _connection.PeerEnds();
        _connection.Run();
        Assert.Equal([why], _outcomes);
        Ask("a", "two");
        Assert.Equal(2, _outcomes.Count);
    }

    [Fact]
    public void A_server_that_says_release_answers_what_it_has_and_gets_no_more()
    {
        Ask("a", "one");
        Served(CoapStreamBytes.Csm, CoapStreamBytes.Message(0xe4));
        Ask("b", "two");
        _connection.Run();
        Assert.Equal(["the server takes no more requests on this connection (Release)"], _outcomes);
        Served(CoapStreamBytes.Message(0x44, [0, 0, 0, 1], [], "1"u8.ToArray()));
        Assert.Equal("2.04 1", _outcomes[^1]);
        Assert.True(_connection.ServerFinished);
    }

    [Fact]
    public void A_silent_server_that_is_observed_is_pinged_and_given_up()
    {
        Observe();
        Served(CoapStreamBytes.Csm, State(1, "one"));
        _connection.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal("7.02", Sent()[^1]);
        Served(CoapStreamBytes.Message(0xe3));
        _connection.Advance(TimeSpan.FromSeconds(61));
        _connection.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal("7.05 Nothing came for two minutes, no pong either.", Sent()[^1]);
        Assert.Single(_outcomes);
    }

    [Fact]
    public void A_request_of_the_server_is_answered_5_01() => Assert.Equal(
        "5.01/07", Served(CoapStreamBytes.Csm, CoapStreamBytes.Request(1, "x", 7))[^1]);

    [Fact]
    public void No_more_are_taken_than_may_be()
    {
        CoapStreamClientHandler client = Client(CoapClientLimits.Default with { MaxRequests = 2 });
        CoapClientRequest request = new() { Method = CoapCode.Get };
        Assert.True(client.TryAsk(request, static _ => { }, out _));
        Assert.True(client.TryAsk(request, static _ => { }, out _));
        Assert.False(client.TryAsk(request, static _ => { }, out _));
        Assert.Throws<ArgumentException>(() =>
            client.TryAsk(request with { Collects = true, IsConfirmable = false }, static _ => { }, out _));
    }

    [Fact]
    public void Whatever_comes_no_handler_throws() => Gen.Select(Gen.Int[0, 1 << 30], Gen.Byte.Array[0, 80], Gen.Bool).Sample(
        (seed, bytes, begins) =>
        {
            CoapStreamClientHandler client = Client(CoapClientLimits.Default);
            client.TryAsk(new CoapClientRequest { Method = CoapCode.Get, Observes = true }, static _ => { }, out _);
            InMemoryConnection connection = new(client, seed);
            connection.PeerSends(begins ? [.. CoapStreamBytes.Csm, .. bytes] : bytes);
            connection.PeerEnds();
            connection.Run();
            Assert.Null(connection.Fault);
            Assert.NotNull(connection.Ended);
        },
        iter: 5_000);

    [Fact]
    public void Client_and_server_understand_each_other_however_the_bytes_are_cut() => Gen.Int[0, int.MaxValue].Sample(
        static seed =>
        {
            CoapChanges changes = new();
            int state = 0;
            Service service = CoapService.From("test", new Dictionary<string, CoapResource>
            {
                ["echo"] = new(static (request, body) =>
                {
                    body.Write(request.Payload);
                    return CoapCode.Changed;
                }),
                ["state"] = new((_, body) =>
                {
                    body.Write(Encoding.UTF8.GetBytes($"{state}"));
                    return CoapCode.Content;
                })
                { Changes = changes },
            });
            List<int> echoed = [];
            List<string> told = [];
            CoapStreamClientHandler client = new(CoapClientLimits.Default)
            {
                Notified = (_, response) => told.Add(Encoding.UTF8.GetString(response.Body)),
            };
            InMemoryConnection near = new(client, seed) { CutAtRandom = true };
            InMemoryConnection far = new(service.CreateStreamHandler(InMemoryConnection.Info), seed + 1, service.StreamLimits)
            {
                CutAtRandom = true,
            };
            CoapClientRequest observe = new() { Method = CoapCode.Get, Path = "state", Observes = true };
            Assert.True(client.TryAsk(observe, static _ => { }, out long observation));
            foreach (int length in new[] { 0, 1, 2000, 100_000 })
            {
                CoapClientRequest request = new() { Method = CoapCode.Post, Path = "echo", Body = _big.AsMemory(0, length) };
                Assert.True(client.TryAsk(
                    request,
                    outcome =>
                    {
                        Assert.Equal(_big[..length], outcome.Response!.Body);
                        echoed.Add(length);
                    },
                    out _));
            }

            (int toFar, int toNear) = Carry(near, far, 0, 0);
            state = 1;
            changes.Notify();
            (toFar, toNear) = Carry(near, far, toFar, toNear);
            client.Cancel(observation);
            Carry(near, far, toFar, toNear);
            Assert.Equal([0, 1, 2000, 100_000], echoed.Order());
            Assert.Equal(["0", "1"], told);
            Assert.True(client.IsIdle);
            Assert.Null(near.Fault ?? far.Fault);
        },
        iter: 50);

    /// <summary>Carries what each side has sent to the other, until neither has more to say.</summary>
    private static (int ToFar, int ToNear) Carry(InMemoryConnection near, InMemoryConnection far, int toFar, int toNear)
    {
        while (true)
        {
            near.Run();
            far.Run();
            if (toFar == near.PeerReceived.Length && toNear == far.PeerReceived.Length)
            {
                return (toFar, toNear);
            }

            far.PeerSends(near.PeerReceived[toFar..]);
            toFar = near.PeerReceived.Length;
            near.PeerSends(far.PeerReceived[toNear..]);
            toNear = far.PeerReceived.Length;
        }
    }

    private static byte[] State(byte sequence, string text) =>
        CoapStreamBytes.Message(0x45, [0, 0, 0, 1], [(6, [sequence])], Encoding.UTF8.GetBytes(text));

    private CoapStreamClientHandler Client(CoapClientLimits limits) => new(limits)
    {
        Notified = (_, response) => _states.Add(Encoding.UTF8.GetString(response.Body)),
    };

    private long Ask(string path, string body)
    {
        CoapClientRequest request = new() { Method = CoapCode.Post, Path = path, Body = Encoding.UTF8.GetBytes(body) };
        Assert.True(_client.TryAsk(
            request,
            outcome => _outcomes.Add(outcome.TryGet(out CoapClientResponse? response, out RequestFailure? failure)
                ? $"{response.Code} {Encoding.UTF8.GetString(response.Body)}"
                : failure.What),
            out long id));
        return id;
    }

    private long Observe()
    {
        CoapClientRequest request = new() { Method = CoapCode.Get, Path = "a", Observes = true };
        Assert.True(_client.TryAsk(request, outcome => _outcomes.Add(outcome.Failure?.What ?? "an answer"), out long id));
        return id;
    }

    private string[] Served(params byte[][] messages)
    {
        foreach (byte[] message in messages)
        {
            _connection.PeerSends(message);
        }

        _connection.Run();
        return Sent();
    }

    private string[] Sent() => CoapStreamBytes.Show(_connection.PeerReceived);
}
