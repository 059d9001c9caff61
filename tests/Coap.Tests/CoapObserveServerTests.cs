using System.Text;
using Doorbell.Coap;
using Doorbell.Coap.Codec;
using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>A server whose resources are observed (RFC 7641 section 4).</summary>
public sealed class CoapObserveServerTests
{
    private static readonly (int Number, byte[] Value) _observe = (CoapOptionNumber.Observe, []);
    private static readonly (int Number, byte[] Value) _endObserving = (CoapOptionNumber.Observe, [1]);
    private static readonly byte[] _token = [7];

    private readonly CoapChanges _changes = new();
    private readonly CoapServer _server;
    private readonly CoapPeer _peer;
    private string _state = "1";
    private CoapCode _code = CoapCode.Content;
    private TimeSpan _now;
    private ushort _id = 100;

    public CoapObserveServerTests()
    {
        _server = NewServer(CoapServerLimits.Default);
        _peer = new CoapPeer(_server, CoapPeer.Near);
    }

    [Fact]
    public void A_registration_is_answered_with_the_state_and_each_change_is_told()
    {
        Assert.Equal("ACK 2.05 # 1", Observe());
        Assert.Equal(1, _server.Observations);
        Change("2");
        Assert.Equal(("CON 2.05 # 2", ""), (Due(), Due()));
        Acknowledge();
        Change("3");
        Assert.Equal("NON 2.05 # 3", DueLater());
    }

    [Fact]
    public void The_list_says_what_can_be_observed()
    {
        Assert.Equal(
            "ACK 2.05 ct=40 </big>;obs,</clock>;obs,</plain>,</state>;obs,</sure>;obs", _peer.Get(".well-known/core"));
        Assert.Equal(
            "ACK 2.05 ct=40 </big>;obs,</clock>;obs,</state>;obs,</sure>;obs",
            _peer.Get(".well-known/core", (CoapOptionNumber.UriQuery, "obs"u8.ToArray())));
    }

    [Theory]
    [InlineData("plain", 1, "")]
    [InlineData("state", 2, "")]
    [InlineData("state", 1, "\u0001")]
    [InlineData("state", 1, "\u0002")]
    [InlineData("state", 1, "\0\0\0\0")]
    public void What_is_no_registration_is_answered_as_any_request(string path, int method, string observe)
    {
        (int Number, byte[] Value) option = (CoapOptionNumber.Observe, Encoding.Latin1.GetBytes(observe));
        string answer = Send(CoapType.Confirmable, new CoapCode((byte)method), path, option);
        Assert.DoesNotContain("#", answer, StringComparison.Ordinal);
        Assert.Equal(0, _server.Observations);
        Change("2");
        Assert.Equal("", DueLater());
    }

    [Fact]
    public void A_non_confirmable_registration_counts_too()
    {
        Assert.Equal("NON 2.05 # 1", Send(CoapType.NonConfirmable, CoapCode.Get, "state", _observe));
        Change("2");
        Assert.Equal("CON 2.05 # 2", Due());
    }

    [Fact]
    public void A_refused_request_does_not_observe()
    {
        _code = CoapCode.NotFound;
        Assert.Equal("ACK 4.04", Observe());
        Assert.Equal((0, (TimeSpan?)null), (_server.Observations, NextOf(_server)));
    }

    [Fact]
    public void Who_registers_again_has_one_observation_whose_numbers_go_on()
    {
        Observe();
        Change("2");
        Assert.Equal("CON 2.05 # 2", Due());
        Acknowledge();
        Assert.Equal("ACK 2.05 # 2", Observe());
        Assert.Equal(1, _server.Observations);
        Change("3");
        Assert.Equal("NON 2.05 # 3", DueLater());
    }

    [Fact]
    public void The_numbers_go_on_behind_those_of_a_server_before()
    {
        _now = TimeSpan.FromSeconds(10);
        uint before = CoapSent.Read(_server.Received(Registration("state", _observe), Path(), _now, Utc())).Observe!.Value;
        CoapServer next = NewServer(CoapServerLimits.Default);
        _now = TimeSpan.FromSeconds(12);
        uint after = CoapSent.Read(next.Received(Registration("state", _observe), Path(), _now, Utc())).Observe!.Value;
        Assert.InRange(after, before + 1, before + 1000);
    }

    /// <summary>RFC 7641 section 3.6: by a GET with Observe 1, or a reset of a notification.</summary>
    [Fact]
    public void It_ends_by_a_request_that_says_so()
    {
        Observe();
        Assert.Equal("ACK 2.05 1", Send(CoapType.Confirmable, CoapCode.Get, "state", _endObserving));
        Assert.Equal(0, _server.Observations);
        Assert.Equal("", DueLater());
    }

    [Fact]
    public void A_request_with_another_token_ends_another_observation()
    {
        Observe();
        Assert.Equal("ACK 2.05 1", Show(_server.Received(Registration("state", _endObserving, [8]), Path(), _now, Utc())));
        Assert.Equal(1, _server.Observations);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void It_ends_by_a_reset_of_a_notification(bool confirmable)
    {
        Observe();
        Change("2");
        Due();
        if (!confirmable)
        {
            Acknowledge();
            Change("3");
            Assert.StartsWith("NON", DueLater(), StringComparison.Ordinal);
        }

        _server.Received(CoapSent.Empty(CoapType.Reset, (ushort)(_id + 1)), CoapPeer.Near, _now);
        Assert.Equal(1, _server.Observations);
        _server.Received(CoapSent.Empty(CoapType.Reset, _id), CoapPeer.Stranger, _now);
        Assert.Equal(1, _server.Observations);
        _server.Received(CoapSent.Empty(CoapType.Reset, _id), CoapPeer.Near, _now);
        Assert.Equal((0, 0), (_server.Observations, (int)_server.Counts.LostObservations));
        Change("4");
        Assert.Equal("", DueLater());
    }

    [Fact]
    public void A_confirmable_notification_is_sent_five_times_and_then_the_observer_is_given_up()
    {
        Observe();
        Send(CoapType.Confirmable, CoapCode.Get, "clock", _observe, [9]);
        Change("2");
        List<TimeSpan> sent = [];
        string first = Due();
        sent.Add(_now);
        while (_server.Observations > 0 && sent.Count < 10)
        {
            _now = NextOf(_server)!.Value;
            string again = DueNow();
            if (again.Length > 0)
            {
                Assert.Equal(first, again);
                sent.Add(_now);
            }
        }

        Assert.Equal((5, 2), (sent.Count, (int)_server.Counts.LostObservations));
        Assert.InRange(sent[1] - sent[0], TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(3));
        for (int i = 2; i < 5; i++)
        {
            Assert.Equal((sent[i - 1] - sent[i - 2]) * 2, sent[i] - sent[i - 1]);
        }

        Change("3");
        Assert.Equal("", DueLater());
    }

    /// <summary>RFC 7641 section 4.5.2: with a message ID of its own, and the waits go on.</summary>
    [Fact]
    public void A_newer_state_takes_the_place_of_the_one_under_way()
    {
        Observe();
        Change("2");
        Assert.Equal("CON 2.05 # 2", Due());
        (TimeSpan first, ushort firstId) = (_now, _id);
        Change("3");
        Change("4");
        Assert.Equal("", Due());
        TimeSpan wait = NextOf(_server)!.Value - first;
        _now = first + wait;
        Assert.EndsWith(" 4", DueNow(), StringComparison.Ordinal);
        Assert.NotEqual(firstId, _id);
        Assert.Equal(wait * 2, NextOf(_server)!.Value - _now);
        Acknowledge();
        Assert.Equal("", DueLater());
    }

    [Fact]
    public void A_change_while_one_is_under_way_is_told_behind_it()
    {
        Observe();
        Change("2");
        Due();
        Change("3");
        Change("4");
        Acknowledge();
        Assert.EndsWith(" 4", DueLater(), StringComparison.Ordinal);
        Assert.Equal("", DueLater());
    }

    /// <summary>RFC 7641 section 4.5.1: no faster than the measured round trip, or every 3 s.</summary>
    [Theory]
    [InlineData(400, 400)]
    [InlineData(1, 10)]
    public void Non_confirmable_notifications_are_as_far_apart_as_a_round_trip(int roundTrip, int apart)
    {
        Observe();
        Change("2");
        Due();
        _now += TimeSpan.FromMilliseconds(roundTrip);
        Acknowledge();
        _now += TimeSpan.FromSeconds(1);
        Change("3");
        Assert.StartsWith("NON", Due(), StringComparison.Ordinal);
        Change("4");
        Assert.Equal(TimeSpan.FromMilliseconds(apart), NextOf(_server)!.Value - _now);
    }

    [Fact]
    public void One_of_five_is_confirmable_or_all_are()
    {
        Observe();
        Send(CoapType.Confirmable, CoapCode.Get, "sure", _observe, [9]);
        List<string> state = [];
        for (int i = 0; i < 24; i++)
        {
            Change($"{i}");
            state.Add(DueLater()[..3]);
            Acknowledge();
        }

        Assert.Equal("CON CON NON CON NON CON NON CON NON CON CON CON", string.Join(' ', state.Take(12)));
    }

    [Fact]
    public void A_peer_gets_one_notification_after_the_other_and_another_peer_its_own()
    {
        Observe();
        Send(CoapType.Confirmable, CoapCode.Get, "sure", _observe, [9]);
        PeerAddress other = PeerAddress.IPv4(0x7f000001, 40_001);
        _server.Received(Registration("state", _observe), new DatagramPath(other, default), _now, Utc());
        _now += TimeSpan.FromSeconds(1);
        Change("2");
        HashSet<PeerAddress> told = [];
        while (_server.TryTakeDue(_now, Utc(), out DatagramPath path, out ReadOnlySpan<byte> datagram))
        {
            Assert.StartsWith("CON", CoapPeer.Show(datagram), StringComparison.Ordinal);
            Assert.True(told.Add(path.Peer), "one is under way");
        }

        Assert.Equal([CoapPeer.Near, other], told.OrderBy(static peer => peer.Port));
    }

    /// <summary>NSTART counts responses and notifications together.</summary>
    [Fact]
    public void A_separate_response_and_a_notification_wait_for_each_other()
    {
        Observe();
        _peer.Now = _now;
        _server.Add("slow", new CoapResource(static (_, _) => CoapCode.Changed) { IsSlow = true });
        Assert.Equal("ACK 0.00", _peer.Post("slow", "x"));
        Assert.Equal("CON 2.04", Due());
        Change("2");
        Assert.Equal("", Due());
        Acknowledge();
        Assert.Equal("CON 2.05 # 2", DueLater());
        _peer.Now = _now;
        Assert.Equal("ACK 0.00", _peer.Post("slow", "x"));
        Assert.Equal("", Due());
        Acknowledge();
        Assert.Equal("CON 2.04", DueLater());
    }

    /// <summary>RFC 7641 section 4.2.</summary>
    [Fact]
    public void An_error_ends_it_and_is_told_until_it_is_acknowledged()
    {
        Observe();
        Change("gone", CoapCode.NotFound);
        Assert.Equal("CON 4.04", Due());
        Assert.Equal(0, _server.Observations);
        _now = NextOf(_server)!.Value;
        Assert.Equal("CON 4.04", Due());
        Acknowledge();
        Assert.Null(NextOf(_server));
    }

    [Fact]
    public void What_a_resource_throws_is_told_as_an_error_and_then_thrown()
    {
        Observe();
        Change("throws");
        Assert.Equal("CON 5.00", Due(expectsMore: true));
        Assert.Equal(TimeSpan.Zero, _server.Deadline);
        Assert.Throws<InvalidOperationException>(() => _server.TryTakeDue(_now, Utc(), out _, out _));
        Assert.Equal((0, ""), (_server.Observations, Due()));
    }

    [Fact]
    public void What_is_no_longer_fresh_is_told_again_and_confirmable()
    {
        Observe();
        Assert.Equal(TimeSpan.FromSeconds(60), NextOf(_server));
        _now = TimeSpan.FromSeconds(60);
        Assert.StartsWith("CON 2.05", Due(), StringComparison.Ordinal);
        Acknowledge();
        Change("2");
        Assert.StartsWith("NON", DueLater(), StringComparison.Ordinal);
        _now += TimeSpan.FromSeconds(61);
        Assert.StartsWith("CON", Due(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_clock_tells_by_itself_and_says_how_long_it_is_right()
    {
        Assert.Equal("ACK 2.05 # age=2 1", Send(CoapType.Confirmable, CoapCode.Get, "clock", _observe));
        Assert.Equal(TimeSpan.FromSeconds(2), NextOf(_server));
        for (int i = 1; i < 10; i++)
        {
            _now = NextOf(_server)!.Value;
            string said = Due();
            if (said.Length > 0)
            {
                Assert.Contains("age=2", said, StringComparison.Ordinal);
                Acknowledge();
            }
        }

        Send(CoapType.Confirmable, CoapCode.Get, "clock", _endObserving);
        Assert.Null(NextOf(_server));
    }

    /// <summary>RFC 7959 section 2.6: a notification has the first block, and the rest is fetched by requests of their own.</summary>
    [Fact]
    public void A_state_of_several_blocks_is_told_by_its_first_one()
    {
        _state = new string('a', 3000);
        Assert.StartsWith("ACK 2.05 # b2=0/more/1024", Send(CoapType.Confirmable, CoapCode.Get, "big", _observe), StringComparison.Ordinal);
        Change(new string('b', 2500));
        Assert.StartsWith("CON 2.05 # b2=0/more/1024 size2=2500 bbb", Due(), StringComparison.Ordinal);
        _peer.Now = _now;
        Assert.Equal($"ACK 2.05 b2=2/last/1024 {new string('b', 2500 - 2048)}", _peer.Get("big", CoapPeer.Block2(2, 6)));
        Assert.Equal(1, _server.Observations);
    }

    /// <summary>What is kept for a forged address would flood whom it names.</summary>
    [Fact]
    public void A_stranger_has_to_prove_its_address_first()
    {
        CoapPeer stranger = new(_server, CoapPeer.Stranger);
        Assert.Equal("ACK 4.01 echo", stranger.Get("state", _observe));
        Assert.Equal(0, _server.Observations);
        Assert.Equal("ACK 2.05 1", stranger.Get("state", _observe, (CoapOptionNumber.Echo, stranger.Option(CoapOptionNumber.Echo))));
        Assert.Equal(1, _server.Observations);
    }

    [Fact]
    public void More_than_there_is_room_for_are_answered_without_being_observed()
    {
        CoapServerLimits limits = CoapServerLimits.Default with
        {
            MaxObservations = 4, MaxObservationsPerPeer = 2, MaxAmplification = 0,
        };
        CoapServer server = NewServer(limits);
        string Register(uint host, byte token) => Show(server.Received(
            Registration("state", _observe, [token]), new DatagramPath(PeerAddress.IPv4(host, token), default), _now, Utc()));
        for (uint host = 1; host <= 2; host++)
        {
            Assert.Contains("#", Register(host, 1), StringComparison.Ordinal);
            Assert.Contains("#", Register(host, 2), StringComparison.Ordinal);
            Assert.Equal("ACK 2.05 1", Register(host, 3));
            Assert.Contains("#", Register(host, 2), StringComparison.Ordinal);
        }

        Assert.Equal("ACK 2.05 1", Register(3, 1));
        Assert.Equal((4, 3), (server.Observations, (int)server.Counts.RefusedObservations));
    }

    /// <summary>A message ID never comes again within EXCHANGE_LIFETIME, and is no request's (RFC 7252 section 4.4).</summary>
    [Fact]
    public void The_message_IDs_of_notifications_are_their_own()
    {
        Dictionary<ushort, TimeSpan> used = [];
        Send(CoapType.Confirmable, CoapCode.Get, "sure", _observe);
        for (int i = 0; i < 70_000; i++)
        {
            if (i % 1000 == 999)
            {
                Send(CoapType.Confirmable, CoapCode.Get, "sure", _endObserving);
                Send(CoapType.Confirmable, CoapCode.Get, "sure", _observe);
            }

            Change($"{i}");
            Assert.NotEqual("", Due());
            Acknowledge();
            Assert.True(_id >= 0x8000, "the requests have the other half");
            Assert.False(used.TryGetValue(_id, out TimeSpan before) && _now - before < CoapServerLimits.ExchangeLifetime);
            used[_id] = _now;
        }
    }

    private static DatagramPath Path() => new(CoapPeer.Near, default);

    private static TimeSpan? NextOf(CoapServer server)
    {
        server.Tick(TimeSpan.FromHours(1));
        return server.Deadline;
    }

    private DateTimeOffset Utc() => DateTimeOffset.UnixEpoch + _now;

    private CoapServer NewServer(CoapServerLimits limits)
    {
        CoapServer server = new(limits, TestSocket.Of(1));
        CoapResource state = new((request, body) =>
        {
            if (_state == "throws")
            {
                throw new InvalidOperationException();
            }

            Encoding.UTF8.GetBytes(_state, body);
            return _code;
        }) { HasEffect = false };
        server.Add("state", state with { Changes = _changes });
        server.Add("sure", state with { Changes = _changes, ConfirmEvery = 1 });
        server.Add("big", state with { Changes = _changes });
        server.Add("clock", state with { ChangesEvery = TimeSpan.FromSeconds(2) });
        server.Add("plain", state);
        return server;
    }

    private string Observe() => Send(CoapType.Confirmable, CoapCode.Get, "state", _observe);

    private string Send(CoapType type, CoapCode method, string path, (int Number, byte[] Value) option, byte[]? token = null) =>
        Show(_server.Received(Registration(path, option, token, type, method), Path(), _now, Utc()));

    private static byte[] Registration(
        string path, (int Number, byte[] Value) option, byte[]? token = null, CoapType type = CoapType.Confirmable, CoapCode? method = null)
    {
        byte[] bytes = new byte[256];
        CoapWriter writer = new(bytes, type, method ?? CoapCode.Get, 0x1234, CoapToken.From(token ?? _token));
        writer.Option(option.Number, option.Value);
        writer.Option(CoapOptionNumber.UriPath, Encoding.UTF8.GetBytes(path));
        return bytes[..writer.Length];
    }

    private void Change(string state, CoapCode? code = null)
    {
        _state = state;
        _code = code ?? CoapCode.Content;
        _changes.Notify();
        _server.Tick(_now);
    }

    private void Acknowledge() => _server.Received(CoapSent.Empty(CoapType.Acknowledgement, _id), CoapPeer.Near, _now);

    /// <summary>What is sent now, at least 10 milliseconds behind what was sent before; nothing else may be.</summary>
    private string Due(bool expectsMore = false)
    {
        _now += TimeSpan.FromMilliseconds(10);
        return DueNow(expectsMore);
    }

    private string DueNow(bool expectsMore = false)
    {
        if (!_server.TryTakeDue(_now, Utc(), out _, out ReadOnlySpan<byte> datagram))
        {
            return "";
        }

        _ = CoapMessage.TryRead(datagram, out CoapMessage message);
        _id = message.MessageId;
        string shown = Show(datagram);
        Assert.True(expectsMore || !_server.TryTakeDue(_now, Utc(), out _, out _), "one under way");
        return shown;
    }

    private string DueLater()
    {
        _now += TimeSpan.FromSeconds(3);
        return Due();
    }

    private static string Show(ReadOnlySpan<byte> datagram) => CoapPeer.Show(datagram, true);
}
