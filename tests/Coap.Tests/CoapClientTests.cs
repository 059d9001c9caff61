using CsCheck;
using Doorbell.Coap;
using Doorbell.Coap.Codec;

namespace Doorbell.Tests;

/// <summary>A CoAP client between datagrams and the time.</summary>
public sealed class CoapClientTests
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _millisecond = TimeSpan.FromMilliseconds(1);
    private readonly CoapConversation _talk = new();

    [Fact]
    public void It_asks_and_the_acknowledgement_brings_the_answer()
    {
        _talk.Ask("upper", "hello");
        CoapSent sent = _talk.Sent();
        Assert.Equal((CoapType.Confirmable, CoapCode.Post, "upper", "hello"), (sent.Type, sent.Code, sent.Path, sent.Text));
        _talk.Receive(sent.Answer(CoapType.Acknowledgement, sent.MessageId, CoapCode.Changed, "HELLO"));
        Assert.Equal("2.04 HELLO", _talk.Answered());
        Assert.Equal((0, null), (_talk.Client.Requests, _talk.Client.Alarm));
    }

    [Fact]
    public void At_first_contact_it_sends_five_times_as_the_rfc_says_and_gives_up()
    {
        _talk.Ask("upper", "hello");
        List<TimeSpan> times = _talk.RunUntilAnswered();
        Assert.Equal(5, times.Count);
        TimeSpan wait = times[1];
        Assert.InRange(wait, 2 * _second, 3 * _second);
        Assert.Equal([TimeSpan.Zero, wait, 3 * wait, 7 * wait, 15 * wait], times);
        Assert.Equal(31 * wait, _talk.Now);
        Assert.Equal("NoAnswer", _talk.Answered());
    }

    [Fact]
    public void A_loss_on_a_path_of_a_millisecond_costs_milliseconds_once_that_is_known()
    {
        _talk.MeasureRoundTrip(_millisecond);
        TimeSpan began = _talk.Now;
        _talk.Ask("upper", "hello");
        List<TimeSpan> times = _talk.RunUntilAnswered();
        Assert.InRange(times[1] - began, TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(15));
        Assert.InRange(times[^1] - began, 10 * _second, CoapClientLimits.MaxTransmitSpan);
        Assert.InRange(times.Count, 11, 13);
        Assert.InRange(_talk.Now - began, 20 * _second, CoapClientLimits.MaxTransmitWait);
        Assert.Equal(2 * _second, _talk.Client.RoundTrips.Timeout(_talk.Now));
    }

    [Fact]
    public void A_separate_answer_is_waited_for_without_sending_and_acknowledged_as_often_as_it_comes()
    {
        _talk.Ask("slow", "hello");
        CoapSent sent = _talk.Sent();
        _talk.Receive(CoapSent.Empty(CoapType.Acknowledgement, sent.MessageId));
        Assert.Empty(_talk.SentUntil(_talk.Now + (60 * _second)));
        byte[] answer = sent.Answer(CoapType.Confirmable, 77, CoapCode.Changed, "HELLO");
        _talk.Receive(answer);
        Assert.Equal((CoapType.Acknowledgement, 77), _talk.SentEmpty());
        Assert.Equal("2.04 HELLO", _talk.Answered());
        _talk.Receive(answer);
        Assert.Equal((CoapType.Acknowledgement, 77), _talk.SentEmpty());
        Assert.Equal("nothing", _talk.Answered());
    }

    [Fact]
    public void A_separate_answer_whose_acknowledgement_was_lost_is_taken_nevertheless()
    {
        _talk.Ask("slow", "hello");
        CoapSent sent = _talk.Sent();
        _talk.Receive(sent.Answer(CoapType.NonConfirmable, 77, CoapCode.Changed, "HELLO"));
        Assert.Equal("2.04 HELLO", _talk.Answered());
    }

    [Fact]
    public void Who_acknowledges_and_never_answers_is_given_up()
    {
        _talk.Ask("slow", "hello");
        _talk.Receive(CoapSent.Empty(CoapType.Acknowledgement, _talk.Sent().MessageId));
        Assert.Empty(_talk.RunUntilAnswered());
        Assert.Equal((CoapClientLimits.MaxTransmitWait, "NoAnswer"), (_talk.Now, _talk.Answered()));
    }

    [Fact]
    public void A_non_confirmable_request_is_sent_once()
    {
        _talk.Ask("upper", "hello", confirmable: false);
        Assert.Equal(CoapType.NonConfirmable, _talk.Sent().Type);
        Assert.Empty(_talk.RunUntilAnswered());
        Assert.Equal("NoAnswer", _talk.Answered());
    }

    /// <summary>It answers when it likes, which says little of the path.</summary>
    [Fact]
    public void A_late_answer_to_a_non_confirmable_request_does_not_lengthen_the_wait_of_others()
    {
        _talk.Ask("slow", "hello", confirmable: false);
        CoapSent sent = _talk.Sent();
        Assert.Empty(_talk.SentUntil(60 * _second));
        _talk.Receive(sent.Answer(CoapType.NonConfirmable, 7, CoapCode.Changed, "HELLO"));
        Assert.Equal("2.04 HELLO", _talk.Answered());
        _talk.Ask("upper", "lost");
        Assert.Equal(5, _talk.RunUntilAnswered().Count);
    }

    [Fact]
    public void A_reset_ends_it()
    {
        _talk.Ask("upper", "hello");
        _talk.Receive(CoapSent.Empty(CoapType.Reset, _talk.Sent().MessageId));
        Assert.Equal("Reset", _talk.Answered());
    }

    [Fact]
    public void What_answers_no_question_is_counted_and_reset_if_it_is_confirmable()
    {
        _talk.Ask("upper", "hello");
        CoapSent sent = _talk.Sent();
        CoapSent other = sent with { Token = new CoapToken(sent.Token.Bits + 1, 8) };
        _talk.Receive(other.Answer(CoapType.Acknowledgement, sent.MessageId, CoapCode.Changed, "FORGED"));
        _talk.Receive(sent.Answer(CoapType.Acknowledgement, (ushort)(sent.MessageId + 1), CoapCode.Changed, "LATE"));
        _talk.Receive(other.Answer(CoapType.NonConfirmable, 5, CoapCode.Changed, "FORGED"));
        Assert.Equal((3, "nothing"), ((int)_talk.Client.Ignored, _talk.Answered()));
        _talk.Receive(other.Answer(CoapType.Confirmable, 6, CoapCode.Changed, "FORGED"));
        Assert.Equal((CoapType.Reset, 6), _talk.SentEmpty());
        _talk.Receive(CoapSent.Empty(CoapType.Confirmable, 7));
        Assert.Equal((CoapType.Reset, 7), _talk.SentEmpty());
    }

    [Fact]
    public void An_option_that_must_be_understood_and_is_not_ends_it()
    {
        _talk.Ask("upper", "hello");
        CoapSent sent = _talk.Sent();
        _talk.Receive(sent.Answer(CoapType.Acknowledgement, sent.MessageId, CoapCode.Changed, "HELLO", (CoapOptionNumber.UriPort, 1)));
        Assert.Equal("OptionNotUnderstood", _talk.Answered());
    }

    [Fact]
    public void One_message_is_under_way_at_a_time_and_a_bounded_number_waits()
    {
        for (int i = 0; i < CoapClientLimits.Default.MaxRequests; i++)
        {
            _talk.Ask("upper", $"{i}");
        }

        Assert.False(_talk.Client.TryAsk(new CoapClientRequest { Method = CoapCode.Get }, _talk.Now, out _));
        for (int i = 0; i < CoapClientLimits.Default.MaxRequests; i++)
        {
            CoapSent sent = _talk.Sent();
            Assert.Equal($"{i}", sent.Text);
            _talk.Receive(sent.Answer(CoapType.Acknowledgement, sent.MessageId, CoapCode.Changed, sent.Text));
            Assert.Equal($"2.04 {i}", _talk.Answered());
        }
    }

    [Fact]
    public void What_is_cancelled_gets_no_answer_and_makes_room()
    {
        long first = _talk.Ask("upper", "first");
        long second = _talk.Ask("upper", "second");
        _talk.Ask("upper", "third");
        CoapSent sent = _talk.Sent();
        _talk.Client.Cancel(second, _talk.Now);
        _talk.Client.Cancel(first, _talk.Now);
        Assert.Equal("third", _talk.Sent().Text);
        _talk.Receive(sent.Answer(CoapType.Acknowledgement, sent.MessageId, CoapCode.Changed, "FIRST"));
        Assert.Equal(("nothing", 1), (_talk.Answered(), _talk.Client.Requests));
    }

    [Fact]
    public void No_message_id_comes_again_within_its_lifetime()
    {
        Dictionary<ushort, TimeSpan> used = [];
        for (int i = 0; i < 70_000; i++)
        {
            _talk.Ask("upper", "hello");
            CoapSent sent = _talk.SentWhenItMay();
            Assert.True(!used.TryGetValue(sent.MessageId, out TimeSpan before) || _talk.Now - before >= CoapServerLimits.ExchangeLifetime);
            used[sent.MessageId] = _talk.Now;
            _talk.Receive(sent.Answer(CoapType.Acknowledgement, sent.MessageId, CoapCode.Changed, ""));
        }

        Assert.InRange(_talk.Now, CoapServerLimits.ExchangeLifetime, CoapServerLimits.ExchangeLifetime + _second);
    }

    /// <summary>However long the answers took before: behind losses, over a slow path, or after an answer to a repetition.</summary>
    [Fact]
    public void A_message_is_sent_five_to_thirteen_times_whatever_was_measured() =>
        Gen.Select(Gen.Int[1, 40_000], Gen.Bool).Array[0, 12].Sample(exchanges =>
        {
            CoapConversation talk = new();
            foreach ((int milliseconds, bool isAcknowledged) in exchanges)
            {
                talk.Ask("upper", "measured");
                CoapSent sent = talk.Sent();
                talk.SentUntil(talk.Now + TimeSpan.FromMilliseconds(milliseconds));
                CoapType type = isAcknowledged ? CoapType.Acknowledgement : CoapType.NonConfirmable;
                talk.Receive(sent.Answer(type, sent.MessageId, CoapCode.Changed, "answered"));
                Assert.Equal("2.04 answered", talk.Answered());
            }

            talk.Ask("upper", "lost");
            TimeSpan begun = talk.Now;
            List<TimeSpan> sends = talk.RunUntilAnswered();
            Assert.InRange(sends.Count, 5, 13);
            Assert.InRange(sends[^1] - begun, default, CoapClientLimits.MaxTransmitSpan);
            Assert.Equal("NoAnswer", talk.Answered());
        });

    [Fact]
    public void No_bytes_at_all_throw() => Gen.Byte.Array[0, 40].Sample(bytes =>
    {
        CoapConversation talk = new();
        talk.Ask("upper", "hello");
        CoapSent sent = talk.Sent();
        byte[] head = [(byte)(0x68 & (bytes.Length > 0 ? bytes[0] | 0x48 : 0x68)), 0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        head[2] = (byte)(sent.MessageId >> 8);
        head[3] = (byte)sent.MessageId;
        sent.Token.WriteTo(head.AsSpan(4));
        talk.Receive(bytes);
        talk.Receive([.. head, .. bytes]);
        talk.RunUntilAnswered();
        Assert.NotEqual("nothing", talk.Answered());
        Assert.Equal("nothing", talk.Answered());
    });
}
