using System.Buffers;
using System.Text;
using CsCheck;
using Doorbell.Coap;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>A server of CoAP over a stream (RFC 8323), fed by hand.</summary>
public sealed class CoapStreamServerTests
{
    private const byte Get = 1;
    private const byte Post = 2;

    private static readonly string _ours = "7.01 2=100480 4=";
    private static readonly string _long = string.Concat(Enumerable.Range(0, 700).Select(static i => $"line {i}\n"));

    private readonly CoapChanges _changes = new();
    private int _state;
    private bool _isGone;

    [Fact]
    public void Each_side_begins_by_what_it_can_do_and_requests_are_answered_in_their_order()
    {
        InMemoryConnection connection = Connect();
        Assert.Equal([_ours], Sent(connection));
        Assert.Equal(
            [_ours, "2.04/01 HELLO", "2.04/02 AGAIN", "4.04/03 There is no such resource: /.well-known/core lists what there is."],
            Sent(
                connection,
                CoapStreamBytes.Csm,
                CoapStreamBytes.Request(Post, "upper", 1, "hello"),
                CoapStreamBytes.Request(Post, "upper", 2, "again"),
                CoapStreamBytes.Request(Get, "none", 3)));
        Assert.Null(connection.Ended);
        Assert.Equal(3, connection.Ledger.Read().Requests);
    }

    [Theory]
    [InlineData("0001", "7.05 The first message must be a CSM (RFC 8323 section 5.3).")]
    [InlineData("00e2", "7.05 The first message must be a CSM (RFC 8323 section 5.3).")]
    [InlineData("00e110e110", "7.05 2=01 Option 1 of 7.01 is not understood.")]
    [InlineData("10e1f0", "7.05 The message's options can't be read.")]
    [InlineData("00e110e210", "7.05 Option 1 of 7.02 is not understood.")]
    [InlineData("00e110e410", "7.05 Option 1 of 7.04 is not understood.")]
    [InlineData("00e109", "7.05 A token has 8 bytes at most.")]
    [InlineData("00e100e9", "7.05 7.09 is not understood.")]
    [InlineData("00e10020", "7.05 1.00 is a reserved code.")]
    [InlineData("00e1f000100001", "7.05 The message is larger than Max-Message-Size, which is 1049728.")]
    [InlineData("60e1250102030405", "7.05 Max-Message-Size has 4 bytes at most.")]
    public void What_must_not_be_ends_the_connection_with_an_abort(string hex, string abort)
    {
        InMemoryConnection connection = Connect();
        connection.PeerSends(Convert.FromHexString(hex));
        connection.Run();
        connection.PeerEnds();
        connection.Run();
        Assert.Equal([_ours, abort], Shown(connection));
        Assert.Equal(CloseReason.Completed, connection.Ended);
    }

    [Fact]
    public void A_ping_is_answered_with_its_token_and_an_empty_message_by_nothing() => Assert.Equal(
        [_ours, "7.03/0A0B", "7.03 2="],
        Sent(
            Connect(),
            CoapStreamBytes.Csm,
            CoapStreamBytes.Message(0xe2, [10, 11]),
            CoapStreamBytes.Message(0),
            CoapStreamBytes.Message(0xe2, [], [(2, [])]),
            CoapStreamBytes.Message(0xe3),
            CoapStreamBytes.Message(0x45, [1])));

    [Fact]
    public void A_released_connection_is_closed_behind_the_answers()
    {
        InMemoryConnection connection = Connect();
        string[] sent = Sent(
            connection, CoapStreamBytes.Csm, CoapStreamBytes.Request(Post, "upper", 1, "last"), CoapStreamBytes.Message(0xe4));
        Assert.Equal([_ours, "2.04/01 LAST"], sent);
        Assert.True(connection.ServerFinished);
    }

    [Fact]
    public void A_draining_server_says_that_it_releases_the_connection()
    {
        InMemoryConnection connection = Connect();
        Sent(connection, CoapStreamBytes.Csm);
        connection.Drain();
        connection.Run();
        Assert.Equal([_ours, "7.04"], Shown(connection));
        Assert.True(connection.ServerFinished);
    }

    [Fact]
    public void Who_does_not_say_what_it_can_do_is_given_up()
    {
        InMemoryConnection connection = Connect();
        connection.Run();
        connection.PeerSends([0x00]);
        connection.Run();
        connection.Advance(TimeSpan.FromSeconds(9));
        connection.Run();
        Assert.Equal([_ours], Shown(connection));
        connection.Advance(TimeSpan.FromSeconds(2));
        connection.Run();
        Assert.Equal([_ours, "7.05 No CSM came in time (RFC 8323 section 5.3)."], Shown(connection));
    }

    [Fact]
    public void An_unknown_critical_option_of_a_request_is_answered_4_02() => Assert.Contains(
        "4.02/01 Option 9 (OSCORE) is not understood",
        Sent(Connect(), CoapStreamBytes.Csm, CoapStreamBytes.Request(Get, "state", 1, "", (9, [])))[1],
        StringComparison.Ordinal);

    [Fact]
    public void Changes_are_told_until_the_client_has_heard_enough()
    {
        InMemoryConnection connection = Connect();
        Sent(connection, CoapStreamBytes.Csm, CoapStreamBytes.Request(Get, "state", 7, "", (6, [])));
        Change(connection, 1);
        Change(connection, 2);
        Sent(connection, CoapStreamBytes.Request(Get, "state", 7, "", (6, [1])));
        Change(connection, 3);
        string[] told = [.. Shown(connection).Skip(1).Select(static one => one.Split(' ')[0] + " " + one.Split(' ')[^1])];
        Assert.Equal(["2.05/07 state0", "2.05/07 state1", "2.05/07 state2", "2.05/07 state2"], told);
        Assert.All(Shown(connection)[1..^1], static one => Assert.Contains(" 6=", one, StringComparison.Ordinal));
        Assert.DoesNotContain(" 6=", Shown(connection)[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void An_observation_ends_when_the_resource_says_no_success()
    {
        InMemoryConnection connection = Connect();
        Sent(connection, CoapStreamBytes.Csm, CoapStreamBytes.Request(Get, "state", 7, "", (6, [])));
        _isGone = true;
        Change(connection, 1);
        Change(connection, 2);
        Assert.Equal("4.04/07", Shown(connection)[^1]);
        Assert.Equal(3, Shown(connection).Length);
    }

    [Fact]
    public void What_was_told_is_told_again_when_it_is_no_longer_fresh()
    {
        InMemoryConnection connection = Connect();
        Sent(connection, CoapStreamBytes.Csm, CoapStreamBytes.Request(Get, "state", 7, "", (6, [])));
        connection.Advance(TimeSpan.FromSeconds(61));
        connection.Run();
        Assert.Equal(3, Shown(connection).Length);
    }

    [Fact]
    public void Who_observes_too_much_is_answered_without_being_observed()
    {
        InMemoryConnection connection = Connect(CoapServerLimits.Default with { MaxObservationsPerPeer = 1 });
        string[] sent = Sent(
            connection,
            CoapStreamBytes.Csm,
            CoapStreamBytes.Request(Get, "state", 7, "", (6, [])),
            CoapStreamBytes.Request(Get, "state", 8, "", (6, [])));
        Assert.Contains(" 6=", sent[1], StringComparison.Ordinal);
        Assert.Equal("2.05/08 state0", sent[2]);
    }

    [Fact]
    public void An_answer_that_is_larger_than_the_peer_takes_comes_in_blocks()
    {
        InMemoryConnection connection = Connect();
        string[] sent = Sent(connection, CoapStreamBytes.Csm, CoapStreamBytes.Request(Get, "long", 1));
        Assert.Matches("^2.05/01 4=[0-9A-F]{16} 23=0E 28=[0-9A-F]+ .1024 bytes.$", sent[1]);
        Assert.Matches(
            "^2.05/02 4=[0-9A-F]{16} 23=1E .1024 bytes.$", Sent(connection, CoapStreamBytes.Request(Get, "long", 2, "", (23, [0x16])))[2]);
    }

    [Fact]
    public void A_peer_that_takes_several_blocks_in_a_message_gets_them()
    {
        InMemoryConnection connection = Connect();
        byte[] csm = CoapStreamBytes.Message(0xe1, [], [(2, [0x0c, 0x00]), (4, [])]);
        string[] sent = Sent(connection, csm, CoapStreamBytes.Request(Get, "long", 1));
        Assert.Matches("^2.05/01 4=[0-9A-F]{16} 23=0F 28=[0-9A-F]+ .2048 bytes.$", sent[1]);
        sent = Sent(connection, CoapStreamBytes.Request(Get, "long", 2, "", (23, [0x27])));
        Assert.Matches("^2.05/02 4=[0-9A-F]{16} 23=2F .2048 bytes.$", sent[2]);
    }

    [Fact]
    public void A_peer_that_takes_a_large_message_gets_all_in_one()
    {
        byte[] csm = CoapStreamBytes.Message(0xe1, [], [(2, [0x10, 0x00, 0x00])]);
        Assert.Equal($"2.05/01 ({_long.Length} bytes)", Sent(Connect(), csm, CoapStreamBytes.Request(Get, "long", 1))[1]);
    }

    [Fact]
    public void A_body_may_come_in_messages_of_several_blocks()
    {
        string body = new('a', 5000);
        InMemoryConnection connection = Connect();
        string[] sent = Sent(
            connection,
            CoapStreamBytes.Csm,
            CoapStreamBytes.Request(Post, "count", 1, body[..3072], (27, [0x0f])),
            CoapStreamBytes.Request(Post, "count", 2, body[3072..4096], (27, [0x3f])),
            CoapStreamBytes.Request(Post, "count", 3, body[4096..], (27, [0x47])));
        Assert.Equal(["2.31/01 27=0F", "2.31/02 27=3F", "2.04/03 27=47 5000"], sent[1..]);
    }

    [Fact]
    public void A_resource_that_throws_costs_its_connection_alone()
    {
        InMemoryConnection connection = Connect();
        Sent(connection, CoapStreamBytes.Csm, CoapStreamBytes.Request(Get, "fault", 1));
        Assert.Equal(CloseReason.HandlerFault, connection.Ended);
        Assert.IsType<FormatException>(connection.Fault);
    }

    [Fact]
    public void However_the_bytes_are_cut_the_answers_are_the_same() => Gen.Int[0, int.MaxValue].Sample(
        seed =>
        {
            InMemoryConnection connection = Connect(CoapServerLimits.Default, seed);
            connection.CutAtRandom = true;
            Assert.Equal(
                [_ours, "2.04/01 HELLO", "7.03/09", "2.04/02 (300 bytes)"],
                Sent(
                    connection,
                    CoapStreamBytes.Csm,
                    CoapStreamBytes.Request(Post, "upper", 1, "hello"),
                    CoapStreamBytes.Message(0xe2, [9]),
                    CoapStreamBytes.Request(Post, "upper", 2, new string('x', 300))));
        },
        iter: 200);

    [Fact]
    public void Whatever_comes_no_handler_throws() => Gen.Select(Gen.Int[0, 1 << 30], Gen.Byte.Array[0, 80], Gen.Bool).Sample(
        (seed, bytes, begins) =>
        {
            InMemoryConnection connection = Connect(CoapServerLimits.Default, seed);
            connection.PeerSends(begins ? [.. CoapStreamBytes.Csm, .. bytes] : bytes);
            connection.PeerEnds();
            connection.Run();
            Assert.Null(connection.Fault);
            Assert.Equal(CloseReason.Completed, connection.Ended);
            Assert.Equal(0, connection.RentedBytes);
        },
        iter: 5_000);

    private static string[] Sent(InMemoryConnection connection, params byte[][] messages)
    {
        foreach (byte[] message in messages)
        {
            connection.PeerSends(message);
        }

        connection.Run();
        return Shown(connection);
    }

    private static string[] Shown(InMemoryConnection connection) => CoapStreamBytes.Show(connection.PeerReceived);

    private void Change(InMemoryConnection connection, int state)
    {
        _state = state;
        _changes.Notify();
        connection.Run();
    }

    private InMemoryConnection Connect(CoapServerLimits? limits = null, int seed = 1)
    {
        Service service = CoapService.From(
            "test",
            new Dictionary<string, CoapResource>
            {
                ["upper"] = new(static (request, body) =>
                {
                    body.Write(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(request.Payload).ToUpperInvariant()));
                    return CoapCode.Changed;
                }),
                ["count"] = new(static (request, body) =>
                {
                    body.Write(Encoding.UTF8.GetBytes($"{request.Payload.Length}"));
                    return CoapCode.Changed;
                }),
                ["long"] = new(static (_, body) =>
                {
                    body.Write(Encoding.UTF8.GetBytes(_long));
                    return CoapCode.Content;
                }),
                ["state"] = new((_, body) =>
                {
                    body.Write(Encoding.UTF8.GetBytes(_isGone ? "" : $"state{_state}"));
                    return _isGone ? CoapCode.NotFound : CoapCode.Content;
                })
                { Changes = _changes, HasEffect = false },
                ["fault"] = new(static (_, _) => throw new FormatException("a test's")),
            },
            limits ?? CoapServerLimits.Default);
        return new InMemoryConnection(service.CreateStreamHandler(InMemoryConnection.Info), seed, service.StreamLimits);
    }
}
