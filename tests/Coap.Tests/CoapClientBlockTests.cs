using System.Text;
using Doorbell.Coap;
using Doorbell.Coap.Codec;

namespace Doorbell.Tests;

/// <summary>A CoAP client with bodies that fit no datagram (RFC 7959), and one that is asked to prove its address (RFC 9175).</summary>
public sealed class CoapClientBlockTests
{
    private static readonly string _text = string.Concat(Enumerable.Range(0, 1000).Select(static i => $"{i:D3}"));
    private readonly CoapConversation _talk = new();

    [Fact]
    public void A_long_body_goes_in_blocks_under_one_request_tag()
    {
        _talk.Ask("upper", _text);
        CoapSent first = Acknowledge(CoapCode.Continue);
        CoapSent second = Acknowledge(CoapCode.Continue);
        CoapSent third = Acknowledge(CoapCode.Changed, "done");
        Assert.Equal([new CoapBlock(0, true, 6), new CoapBlock(1, true, 6), new CoapBlock(2, false, 6)],
            new[] { first, second, third }.Select(static sent => sent.Block1!.Value));
        Assert.Equal(_text, first.Text + second.Text + third.Text);
        Assert.NotNull(first.RequestTag);
        Assert.Equal((first.RequestTag, first.RequestTag), (second.RequestTag, third.RequestTag));
        Assert.Equal("2.04 done", _talk.Answered());
    }

    [Fact]
    public void A_server_that_wants_smaller_blocks_gets_them_from_where_it_is()
    {
        _talk.Ask("upper", _text);
        CoapSent first = Acknowledge(CoapCode.Continue, "", (CoapOptionNumber.Block1, new CoapBlock(0, true, 3).Value));
        CoapSent second = Acknowledge(CoapCode.Continue);
        Assert.Equal((new CoapBlock(8, true, 3), 128), (second.Block1!.Value, second.Text.Length));
        Assert.StartsWith(first.Text + second.Text, _text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_takes_only_smaller_blocks_gets_the_body_anew()
    {
        _talk.Ask("upper", _text);
        Acknowledge(CoapCode.RequestEntityTooLarge, "", (CoapOptionNumber.Block1, new CoapBlock(0, false, 4).Value));
        CoapSent again = Acknowledge(CoapCode.RequestEntityTooLarge, "no", (CoapOptionNumber.Block1, new CoapBlock(0, false, 4).Value));
        Assert.Equal((new CoapBlock(0, true, 4), _text[..256]), (again.Block1!.Value, again.Text));
        Assert.Equal("4.13 no", _talk.Answered());
    }

    [Fact]
    public void An_error_in_the_middle_is_the_answer()
    {
        _talk.Ask("upper", _text);
        Acknowledge(CoapCode.Continue);
        Acknowledge(CoapCode.RequestEntityIncomplete, "lost");
        Assert.Equal("4.08 lost", _talk.Answered());
    }

    [Fact]
    public void A_long_answer_is_fetched_block_by_block()
    {
        _talk.Ask("long", "please");
        Acknowledge(CoapCode.Content, _text[..1024], ETag(7), Block2(0, true));
        CoapSent second = Acknowledge(CoapCode.Content, _text[1024..2048], ETag(7), Block2(1, true));
        CoapSent third = Acknowledge(CoapCode.Content, _text[2048..], ETag(7), Block2(2, false));
        Assert.Equal((new CoapBlock(1, false, 6), new CoapBlock(2, false, 6)), (second.Block2!.Value, third.Block2!.Value));
        Assert.Equal(("", ""), (second.Text, third.Text));
        Assert.Equal("2.05 " + _text, _talk.Answered());
    }

    [Fact]
    public void An_answer_that_changes_while_it_is_fetched_is_broken()
    {
        _talk.Ask("long", "please");
        Acknowledge(CoapCode.Content, _text[..1024], ETag(7), Block2(0, true));
        Acknowledge(CoapCode.Content, _text[1024..2048], ETag(8), Block2(1, true));
        Assert.Equal("AnswerBroken", _talk.Answered());
    }

    [Theory]
    [InlineData(0, 1000)]
    [InlineData(1, 1024)]
    public void An_answers_block_that_does_not_fit_is_broken(int number, int length)
    {
        _talk.Ask("long", "please");
        Acknowledge(CoapCode.Content, _text[..length], Block2(number, true));
        Assert.Equal("AnswerBroken", _talk.Answered());
    }

    [Fact]
    public void An_answer_without_end_is_too_large()
    {
        CoapConversation talk = new(CoapClientLimits.Default with { MaxAnswerBytes = 1500 });
        talk.Ask("long", "please");
        for (int i = 0; i < 2; i++)
        {
            CoapSent sent = talk.Sent();
            talk.Receive(sent.Answer(
                CoapType.Acknowledgement,
                sent.MessageId,
                CoapCode.Content,
                _text[..1024],
                Block2(i, true)));
        }

        Assert.Equal("AnswerTooLarge", talk.Answered());
    }

    [Fact]
    public void Small_blocks_are_sent_and_asked_for()
    {
        CoapConversation talk = new(CoapClientLimits.Default with { BlockBytes = 64 });
        talk.Ask("upper", _text);
        CoapSent sent = talk.Sent();
        Assert.Equal((new CoapBlock(0, true, 2), new CoapBlock(0, false, 2)), (sent.Block1!.Value, sent.Block2!.Value));
        Assert.Equal(64, sent.Text.Length);
    }

    [Fact]
    public void Asked_to_prove_its_address_it_repeats_the_request_with_the_bytes_and_keeps_them_for_the_next()
    {
        _talk.Ask("upper", "hello");
        CoapSent first = Acknowledge(CoapCode.Unauthorized, "", (CoapOptionNumber.Echo, 0x6b657921));
        CoapSent again = Acknowledge(CoapCode.Changed, "HELLO");
        Assert.Equal(("", "key!", "hello"), (first.Echo, again.Echo, again.Text));
        Assert.NotEqual((first.MessageId, first.Token), (again.MessageId, again.Token));
        Assert.Equal("2.04 HELLO", _talk.Answered());
        _talk.Ask("upper", "next");
        Assert.Equal("key!", _talk.Sent().Echo);
    }

    [Fact]
    public void Asked_again_and_again_it_stops_and_says_so()
    {
        _talk.Ask("upper", "hello");
        Acknowledge(CoapCode.Unauthorized, "", (CoapOptionNumber.Echo, 1));
        Acknowledge(CoapCode.Unauthorized, "", (CoapOptionNumber.Echo, 2));
        Assert.Equal("4.01 ", _talk.Answered());
    }

    [Fact]
    public void Asked_to_prove_it_anew_in_the_middle_of_a_long_body_it_does()
    {
        _talk.Ask("upper", _text);
        Acknowledge(CoapCode.Unauthorized, "", (CoapOptionNumber.Echo, 1));
        Acknowledge(CoapCode.Continue);
        CoapSent second = Acknowledge(CoapCode.Unauthorized, "", (CoapOptionNumber.Echo, 0x6b657921));
        CoapSent again = Acknowledge(CoapCode.Continue);
        Assert.Equal((second.Block1, second.Text, "key!"), (again.Block1, again.Text, again.Echo));
        Acknowledge(CoapCode.Changed, "done");
        Assert.Equal("2.04 done", _talk.Answered());
    }

    [Fact]
    public void A_server_that_takes_so_much_only_in_smaller_blocks_gets_them()
    {
        _talk.Ask("upper", _text[..500]);
        CoapSent whole = Acknowledge(CoapCode.RequestEntityTooLarge, "", (CoapOptionNumber.Block1, new CoapBlock(0, false, 4).Value));
        CoapSent first = Acknowledge(CoapCode.Continue);
        CoapSent second = Acknowledge(CoapCode.Changed, "done");
        Assert.Equal((null, new CoapBlock(0, true, 4), new CoapBlock(1, false, 4)), (whole.Block1, first.Block1, second.Block1));
        Assert.Equal("2.04 done", _talk.Answered());
    }

    [Fact]
    public void A_server_may_want_smaller_blocks_later_too()
    {
        _talk.Ask("upper", _text);
        CoapSent first = Acknowledge(CoapCode.Continue);
        CoapSent second = Acknowledge(CoapCode.Continue, "", (CoapOptionNumber.Block1, new CoapBlock(1, true, 5).Value));
        CoapSent third = Acknowledge(CoapCode.Continue);
        Assert.Equal(new CoapBlock(4, true, 5), third.Block1);
        Assert.StartsWith(first.Text + second.Text + third.Text, _text, StringComparison.Ordinal);
    }

    /// <summary>NSTART: an answer that came later, in blocks, meets another request under way (RFC 7252 section 4.7).</summary>
    [Fact]
    public void The_next_block_waits_while_another_message_is_under_way()
    {
        _talk.Ask("slow", "please");
        CoapSent slow = _talk.Sent();
        _talk.Receive(CoapSent.Empty(CoapType.Acknowledgement, slow.MessageId));
        _talk.Ask("upper", "hello");
        CoapSent other = _talk.Sent();
        _talk.Ask("upper", "last");
        _talk.Receive(slow.Answer(CoapType.NonConfirmable, 77, CoapCode.Content, _text[..1024], ETag(7), Block2(0, true)));
        Assert.False(_talk.Client.TryTakeDatagram(out _));
        _talk.Receive(other.Answer(CoapType.Acknowledgement, other.MessageId, CoapCode.Changed, "HELLO"));
        Assert.Equal("2.04 HELLO", _talk.Answered());
        CoapSent next = _talk.Sent();
        Assert.Equal(("slow", new CoapBlock(1, false, 6)), (next.Path, next.Block2));
        Assert.False(_talk.Client.TryTakeDatagram(out _));
        _talk.Receive(next.Answer(CoapType.Acknowledgement, next.MessageId, CoapCode.Content, "end", ETag(7), Block2(1, false)));
        Assert.Equal($"2.05 {_text[..1024]}end", _talk.Answered());
        Assert.Equal("last", _talk.Sent().Text);
    }

    /// <summary>RFC 7959 section 2.3: a response tells by Block1 which block it answers.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(1)]
    [InlineData(7)]
    public void A_success_that_does_not_answer_the_block_sent_is_none_of_the_body(int? number)
    {
        foreach (CoapCode code in new[] { CoapCode.Changed, CoapCode.Content, new CoapCode(0x41), CoapCode.Continue })
        {
            CoapConversation talk = new();
            talk.Ask("upper", new string('x', 3000));
            CoapSent sent = talk.Sent();
            (int, uint)[] options = number is { } other ? [(CoapOptionNumber.Block1, new CoapBlock(other, true, 6).Value)] : [];
            talk.Receive(sent.Answer(CoapType.Acknowledgement, sent.MessageId, code, "", options));
            Assert.Equal("BodyNotTaken", talk.Answered());
        }
    }

    /// <summary>The last block's answer may leave Block1 out, but another block's is not of the whole body.</summary>
    [Theory]
    [InlineData(null, "2.04 done")]
    [InlineData(1, "2.04 done")]
    [InlineData(0, "BodyNotTaken")]
    public void A_success_behind_the_last_block_is_of_the_body_unless_it_names_another(int? number, string outcome)
    {
        _talk.Ask("upper", new string('x', 2000));
        CoapSent first = _talk.Sent();
        (int, uint) taken = (CoapOptionNumber.Block1, new CoapBlock(0, true, 6).Value);
        _talk.Receive(first.Answer(CoapType.Acknowledgement, first.MessageId, CoapCode.Continue, "", taken));
        CoapSent last = _talk.Sent();
        (int, uint)[] options = number is { } which ? [(CoapOptionNumber.Block1, new CoapBlock(which, false, 6).Value)] : [];
        _talk.Receive(last.Answer(CoapType.Acknowledgement, last.MessageId, CoapCode.Changed, "done", options));
        Assert.Equal(outcome, _talk.Answered());
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1)]
    public void An_error_ends_a_body_whatever_block_it_names(int? number)
    {
        _talk.Ask("upper", new string('x', 3000));
        CoapSent sent = _talk.Sent();
        (int, uint)[] options = number is { } other ? [(CoapOptionNumber.Block1, new CoapBlock(other, true, 6).Value)] : [];
        _talk.Receive(sent.Answer(CoapType.Acknowledgement, sent.MessageId, CoapCode.NotFound, "", options));
        Assert.Equal("4.04 ", _talk.Answered());
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("/", "")]
    [InlineData("/a//b", "a//b")]
    [InlineData("caf\u00e9/x", "caf\u00e9/x")]
    public void The_path_goes_as_its_segments(string path, string segments)
    {
        _talk.Ask(path, "hello");
        Assert.Equal(segments, _talk.Sent().Path);
    }

    [Fact]
    public void What_fits_no_datagram_is_refused_with_why()
    {
        static CoapClientRequest Long(int segments) => new()
        {
            Method = CoapCode.Get, Path = string.Join('/', Enumerable.Repeat(new string('x', 200), segments)),
        };
        _talk.Ask(Long(4));
        Assert.Throws<ArgumentException>(() => _talk.Ask(Long(6)));
        Assert.Throws<ArgumentException>(() => _talk.Ask(new CoapClientRequest { Method = CoapCode.Get, Path = new string('x', 256) }));
        Assert.Throws<ArgumentException>(() => _talk.Ask(new CoapClientRequest { Method = CoapCode.Content }));
    }

    private static (int Number, uint Value) ETag(uint value) => (CoapOptionNumber.ETag, value);

    private static (int Number, uint Value) Block2(int number, bool more) =>
        (CoapOptionNumber.Block2, new CoapBlock(number, more, 6).Value);

    /// <summary>Answers what the client sends next; without options it takes that block.</summary>
    private CoapSent Acknowledge(CoapCode code, string text = "", params (int Number, uint Value)[] options)
    {
        CoapSent sent = _talk.Sent();
        if (options.Length == 0 && sent.Block1 is { } block)
        {
            options = [(CoapOptionNumber.Block1, block.Value)];
        }

        _talk.Receive(sent.Answer(CoapType.Acknowledgement, sent.MessageId, code, Encoding.UTF8.GetBytes(text), options));
        return sent;
    }
}
