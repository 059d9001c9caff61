using Doorbell.Coap;
using Doorbell.Coap.Codec;

namespace Doorbell.Tests;

/// <summary>A client that observes a resource (RFC 7641 section 3).</summary>
public sealed class CoapObserveClientTests
{
    private readonly CoapConversation _talk = new();
    private CoapSent _asked = null!;
    private long _id;

    [Fact]
    public void The_state_is_told_and_then_each_notification()
    {
        Register();
        Tell(11, "b");
        Assert.Equal((CoapType.Acknowledgement, 501), _talk.SentEmpty());
        Tell(12, "c", CoapType.NonConfirmable);
        Assert.Equal(["2.05 b", "2.05 c"], [Told(), Told()]);
        Assert.False(_talk.Client.TryTakeDatagram(out _));
        Assert.Equal(1, _talk.Client.Requests);
    }

    [Fact]
    public void Who_does_not_observe_says_nothing_of_it()
    {
        _talk.Ask("state", "");
        Assert.Null(_talk.Sent().Observe);
    }

    [Fact]
    public void A_resource_that_can_t_be_observed_answers_once()
    {
        Ask();
        Answer(_asked, "a");
        Assert.Equal("2.05 a", _talk.Answered());
        Assert.Equal((0, (TimeSpan?)null), (_talk.Client.Requests, _talk.Client.Alarm));
    }

    [Fact]
    public void Only_GET_observes()
    {
        CoapClientRequest request = new() { Method = CoapCode.Post, Path = "state", Observes = true };
        Assert.Throws<ArgumentException>(() => _talk.Client.TryAsk(request, default, out _));
    }

    /// <summary>RFC 7641 section 3.4.</summary>
    [Theory]
    [InlineData(10, 11, 0, true)]
    [InlineData(10, 10, 0, false)]
    [InlineData(10, 9, 0, false)]
    [InlineData(10, 9, 128, false)]
    [InlineData(10, 9, 129, true)]
    [InlineData(0xff_ffff, 0, 0, true)]
    [InlineData(0, 0xff_ffff, 0, false)]
    [InlineData(0, 0x7f_ffff, 0, true)]
    [InlineData(0, 0x80_0000, 0, false)]
    [InlineData(0x80_0001, 0, 0, true)]
    public void A_notification_that_is_late_is_no_news(uint first, uint second, int seconds, bool isNews)
    {
        Register(first, maxAge: 1000);
        _talk.SentUntil(TimeSpan.FromSeconds(seconds));
        Tell(second, "b");
        Assert.Equal((CoapType.Acknowledgement, 501), _talk.SentEmpty());
        Assert.Equal(isNews ? "2.05 b" : "nothing", isNews ? Told() : _talk.Answered());
    }

    /// <summary>RFC 7641 section 3.3.1: 5 to 15 seconds behind Max-Age, with the same token and the same options.</summary>
    [Theory]
    [InlineData(null, 60)]
    [InlineData(7u, 7)]
    public void It_registers_again_when_nothing_has_come_for_so_long(uint? maxAge, int fresh)
    {
        HashSet<TimeSpan> times = [];
        for (int i = 0; i < 5; i++)
        {
            Register(maxAge: maxAge);
            TimeSpan from = _talk.Now;
            TimeSpan at = _talk.Client.Alarm!.Value;
            Assert.InRange(at - from, TimeSpan.FromSeconds(fresh + 5), TimeSpan.FromSeconds(fresh + 15));
            times.Add(at - from);
            CoapSent again = _talk.SentWhenItMay();
            Assert.Equal((_asked.Token, 0u, "state"), (again.Token, again.Observe, again.Path));
            Assert.NotEqual(_asked.MessageId, again.MessageId);
            Answer(again, "b", (CoapOptionNumber.Observe, 20));
            Assert.Equal("2.05 b", Told());
            _talk.Client.Cancel(_id, _talk.Now);
            Answer(_talk.Sent(), "b");
        }

        Assert.True(times.Count > 1, "at random, so that it does not cross a notification");
    }

    [Fact]
    public void A_notification_while_it_registers_again_is_news_too()
    {
        Register();
        CoapSent again = _talk.SentWhenItMay();
        Tell(11, "b", CoapType.NonConfirmable);
        Assert.Equal("2.05 b", Told());
        Answer(again, "b", (CoapOptionNumber.Observe, 12));
        Assert.Equal("2.05 b", Told());
        Assert.Equal(TimeSpan.Zero, _talk.Client.RoundTrips.RoundTrip);
    }

    [Fact]
    public void It_ends_when_nobody_answers_the_registration()
    {
        Register();
        _talk.RunUntilAnswered();
        Assert.Equal("NoAnswer", _talk.Answered());
        Assert.Equal((0, (TimeSpan?)null), (_talk.Client.Requests, _talk.Client.Alarm));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void It_ends_by_an_answer_that_is_no_notification(bool isError)
    {
        Register();
        CoapCode code = isError ? CoapCode.NotFound : CoapCode.Content;
        _talk.Receive(_asked.Answer(CoapType.Confirmable, 501, code, "gone"));
        Assert.Equal((CoapType.Acknowledgement, 501), _talk.SentEmpty());
        Assert.Equal($"{code} gone", _talk.Answered());
        Assert.Equal((0, (TimeSpan?)null), (_talk.Client.Requests, _talk.Client.Alarm));
        Tell(12, "late", id: 502);
        Assert.Equal((CoapType.Reset, 502), _talk.SentEmpty());
    }

    /// <summary>RFC 7641 section 3.6: the same request with Observe 1; until it is answered a notification is reset.</summary>
    [Fact]
    public void Who_gives_it_up_tells_the_server()
    {
        Register();
        _talk.Client.Cancel(_id, _talk.Now);
        CoapSent ending = _talk.Sent();
        Assert.Equal((CoapCode.Get, 1u, _asked.Token, "state"), (ending.Code, ending.Observe, ending.Token, ending.Path));
        Assert.Equal((0, false), (_talk.Client.Requests, _talk.Client.IsAtRest));
        Tell(11, "b", id: 502);
        Assert.Equal((CoapType.Reset, 502), _talk.SentEmpty());
        Tell(12, "c", CoapType.NonConfirmable, 503);
        Assert.Equal((CoapType.Reset, 503), _talk.SentEmpty());
        Assert.False(_talk.Client.IsAtRest);
        Answer(ending, "c");
        Assert.Equal(("nothing", true, (TimeSpan?)null), (_talk.Answered(), _talk.Client.IsAtRest, _talk.Client.Alarm));
        Tell(13, "d", CoapType.NonConfirmable, 504);
        Assert.Equal((CoapType.Reset, 504), _talk.SentEmpty());
    }

    [Fact]
    public void The_end_is_told_again_until_it_is_answered()
    {
        Register();
        _talk.Client.Cancel(_id, _talk.Now);
        Assert.InRange(_talk.RunUntilAnswered().Count, 5, 14);
        Assert.Equal(("nothing", true), (_talk.Answered(), _talk.Client.IsAtRest));
    }

    [Fact]
    public void A_registration_that_waits_is_given_up_in_silence()
    {
        _talk.Ask("first", "x");
        _talk.Sent();
        Ask(isSent: false);
        _talk.Client.Cancel(_id, _talk.Now);
        Assert.False(_talk.Client.TryTakeDatagram(out _));
        Assert.Equal(1, _talk.Client.Requests);
    }

    /// <summary>The endings are bounded too.</summary>
    [Fact]
    public void Endings_that_nobody_answers_don_t_add_up()
    {
        for (int i = 0; i < 1000; i++)
        {
            Ask(isSent: false);
            _talk.Client.Tick(_talk.Now);
            while (_talk.Client.TryTakeDatagram(out ReadOnlySpan<byte> datagram))
            {
                _asked = CoapSent.Read(datagram);
            }

            _talk.Client.Cancel(_id, _talk.Now);
        }

        Assert.InRange(_talk.RunUntilAnswered().Count, 1, 2 * 64 * 14);
        Assert.True(_talk.Client.IsAtRest);
    }

    [Fact]
    public void Other_requests_go_on_meanwhile()
    {
        Register();
        _talk.Ask("other", "x");
        CoapSent other = _talk.Sent();
        Tell(11, "b", CoapType.NonConfirmable);
        _talk.Receive(other.Answer(CoapType.Acknowledgement, other.MessageId, CoapCode.Changed, "done"));
        Assert.Equal("2.05 b", Told());
        Assert.Equal("2.04 done", _talk.Answered());
    }

    /// <summary>RFC 7959 section 2.6: by GET without Observe and with a token of its own.</summary>
    [Fact]
    public void The_rest_of_a_large_state_is_fetched()
    {
        Register();
        TellBlock(11, 'b');
        Assert.Equal((CoapType.Acknowledgement, 501), _talk.SentEmpty());
        CoapSent rest = _talk.Sent();
        Assert.Equal((null, 1, false), (rest.Observe, rest.Block2!.Value.Number, rest.Token == _asked.Token));
        Assert.Equal("nothing", _talk.Answered());
        Rest(rest, 'b', 7);
        Assert.Equal($"2.05 {new string('b', 26)}", Told());
    }

    [Fact]
    public void A_newer_state_takes_the_place_of_one_that_is_fetched()
    {
        Register();
        TellBlock(11, 'b');
        _talk.SentEmpty();
        CoapSent rest = _talk.Sent();
        Tell(12, "c", CoapType.NonConfirmable);
        Assert.Equal("2.05 c", Told());
        Rest(rest, 'b', 7);
        Assert.Equal("nothing", _talk.Answered());
        Assert.Equal(1, _talk.Client.Requests);
    }

    [Theory]
    [InlineData(8)]
    [InlineData(0)]
    public void A_state_that_has_changed_while_it_was_fetched_is_asked_for_anew(byte eTag)
    {
        Register();
        TellBlock(11, 'b');
        _talk.SentEmpty();
        Rest(_talk.Sent(), 'c', eTag);
        Assert.Equal("nothing", _talk.Answered());
        CoapSent again = _talk.Sent();
        Assert.Equal((0u, _asked.Token), (again.Observe, again.Token));
        Answer(again, "c", (CoapOptionNumber.Observe, 12));
        Assert.Equal("2.05 c", Told());
    }

    [Fact]
    public void A_state_that_is_too_large_ends_it()
    {
        CoapConversation small = new(CoapClientLimits.Default with { MaxAnswerBytes = 20 });
        small.Ask(new CoapClientRequest { Method = CoapCode.Get, Path = "state", Observes = true });
        CoapSent asked = small.Sent();
        small.Receive(asked.Answer(
            CoapType.Acknowledgement, asked.MessageId, CoapCode.Content, new string('a', 16), (CoapOptionNumber.Observe, 1), More));
        CoapSent rest = small.Sent();
        small.Receive(rest.Answer(
            CoapType.Acknowledgement, rest.MessageId, CoapCode.Content, new string('a', 10), (CoapOptionNumber.Block2, 0x10)));
        Assert.Equal("AnswerTooLarge", small.Answered());
        Assert.Equal(1u, small.Sent().Observe);
    }

    [Fact]
    public void A_server_that_wants_a_proof_gets_it()
    {
        Ask();
        _talk.Receive(_asked.Answer(
            CoapType.Acknowledgement, _asked.MessageId, CoapCode.Unauthorized, "", (CoapOptionNumber.Echo, 0x414243)));
        CoapSent again = _talk.Sent();
        Assert.Equal((0u, "ABC"), (again.Observe, again.Echo));
        Answer(again, "a", (CoapOptionNumber.Observe, 1));
        Assert.Equal("2.05 a", Told());
    }

    private static (int Number, uint Value) More => (CoapOptionNumber.Block2, 8);

    private void Ask(bool isSent = true)
    {
        _id = _talk.Ask(new CoapClientRequest { Method = CoapCode.Get, Path = "state", Observes = true });
        _asked = isSent ? _talk.Sent() : _asked;
    }

    private void Register(uint sequence = 10, uint? maxAge = null)
    {
        Ask();
        Assert.Equal((CoapCode.Get, 0u), (_asked.Code, _asked.Observe));
        Answer(_asked, "a", maxAge is { } age
            ? [(CoapOptionNumber.Observe, sequence), (CoapOptionNumber.MaxAge, age)]
            : [(CoapOptionNumber.Observe, sequence)]);
        Assert.Equal("2.05 a", Told());
    }

    private void Answer(CoapSent asked, string state, params (int Number, uint Value)[] options) =>
        _talk.Receive(asked.Answer(CoapType.Acknowledgement, asked.MessageId, CoapCode.Content, state, options));

    private void Tell(uint sequence, string state, CoapType type = CoapType.Confirmable, ushort id = 501) =>
        _talk.Receive(_asked.Answer(type, id, CoapCode.Content, state, (CoapOptionNumber.Observe, sequence)));

    private void TellBlock(uint sequence, char fill) => _talk.Receive(_asked.Answer(
        CoapType.Confirmable, 501, CoapCode.Content, new string(fill, 16), (CoapOptionNumber.ETag, 7),
        (CoapOptionNumber.Observe, sequence), More));

    private void Rest(CoapSent asked, char fill, byte eTag) => _talk.Receive(asked.Answer(
        CoapType.Acknowledgement, asked.MessageId, CoapCode.Content, new string(fill, 10), (CoapOptionNumber.ETag, eTag),
        (CoapOptionNumber.Block2, 0x10)));

    /// <summary>The next state that is told.</summary>
    private string Told()
    {
        Assert.True(_talk.Client.TryTakeAnswer(out CoapClientResponse? answer));
        Assert.Equal((true, _id), (answer.IsNotification, answer.Id));
        return $"{answer.Code} {System.Text.Encoding.UTF8.GetString(answer.Body)}";
    }
}
