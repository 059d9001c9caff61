using System.Buffers;
using System.Text;
using CsCheck;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>Every framing, whole and cut anywhere.</summary>
public sealed class FramingTests
{
    /// <summary>Bytes that one framing or another takes for more than content.</summary>
    private static readonly Gen<byte> _telling = Gen.OneOfConst<byte>(0, 1, 5, (byte)'-', (byte)'\r', (byte)'\n', (byte)'a');

    public static TheoryData<string> Framings => ["line", "nul", "delimiter", "fixed", "prefix1", "prefix2", "prefix4"];

    [Theory]
    [MemberData(nameof(Framings))]
    public void Messages_cut_into_any_pieces_are_all_answered_in_order(string name) =>
        Gen.Select(Gen.Char['a', 'z'].Array[0, 40].Array[0, 30], Gen.Int, Gen.Int[1, 100]).Sample(
            (messages, seed, largest) =>
            {
                byte[] question = [.. messages.SelectMany(message => Frame(name, message))];
                InMemoryConnection connection = new(Handler(name), seed) { LargestReceive = largest, LargestSend = largest };
                connection.PeerSends(question);
                connection.PeerEnds();
                connection.Run();
                Assert.Equal(CloseReason.Completed, connection.Ended);
                Assert.Equal(messages.Length, connection.Ledger.Read().Requests);
                Assert.Equal(question.Select(static b => (byte)char.ToUpperInvariant((char)b)), connection.PeerReceived.ToArray());
                Assert.Equal(0, connection.RentedBytes);
            },
            iter: 1000);

    [Theory]
    [InlineData("one\ntwo\r\nthree\0four", "ONE\nTWO\r\nTHREE\0FOUR")]
    public void A_line_is_answered_with_the_end_it_had(string question, string answer) =>
        Assert.Equal(answer, Ask("line", question).Answer);

    [Theory]
    [InlineData("nul", "one\0two", "ONE\0TWO")]
    [InlineData("delimiter", "one--two", "ONE--TWO")]
    public void What_has_no_end_at_the_end_of_input_is_a_message_too(string framing, string question, string answer) =>
        Assert.Equal(answer, Ask(framing, question).Answer);

    [Theory]
    [InlineData("fixed", "abcdefghab")]
    [InlineData("prefix1", "\u0005ab")]
    [InlineData("prefix2", "\0\u0005ab")]
    [InlineData("prefix4", "\0\0\0\u0005ab")]
    public void A_broken_message_at_the_end_of_input_resets_the_connection(string framing, string question) =>
        Assert.Equal(CloseReason.HandlerAborted, Ask(framing, question).Ended);

    [Fact]
    public void An_answer_that_the_framing_can_not_carry_is_the_handlers_fault()
    {
        Assert.Equal(CloseReason.HandlerFault, Ask("fixed", "abcdefgh", static (_, answer) => answer.Write("short"u8)).Ended);
        Assert.Equal(CloseReason.HandlerFault, Ask("prefix1", "\u0001a", static (_, answer) => answer.Write(new byte[256])).Ended);
    }

    [Theory]
    [MemberData(nameof(Framings))]
    public void Messages_written_and_read_over_pieces_of_any_size_come_out_as_they_went_in(string name) =>
        Gen.Select(Gen.Char['a', 'z'].Array[1, 40].Array[0, 20], Gen.Int[1, 50].Array[1, 60]).Sample(
            (messages, pieces) =>
            {
                Framing framing = FramingOf(name);
                byte[][] sent = [.. messages.Select(message => Encoding.ASCII.GetBytes(name == "fixed" ? Padded(message) : message))];
                ArrayBufferWriter<byte> written = new();
                foreach (byte[] message in sent)
                {
                    framing.Write(message, written);
                }

                ReadOnlySequence<byte> input = InPieces(written.WrittenMemory, pieces);
                List<byte[]> read = [];
                while (framing.TryRead(ref input, out ReadOnlySequence<byte> message))
                {
                    read.Add(message.ToArray());
                }

                Assert.Equal(sent, read);
                Assert.Equal(0, input.Length);
            },
            iter: 1000);

    [Theory]
    [MemberData(nameof(Framings))]
    public void A_search_over_pieces_finds_what_a_search_of_the_whole_finds(string name) =>
        Gen.Select(_telling.Array[0, 40], Gen.Int[1, 6].Array[1, 40]).Sample(
            (bytes, pieces) =>
            {
                Framing framing = FramingOf(name);
                bool whole = framing.TryFind(bytes, searched: 0, out Frame expected);
                Assert.Equal(whole, framing.TryFind(InPieces(bytes, pieces), out Frame found));
                Assert.Equal(whole ? expected : default, whole ? found : default);
                whole = new CopyingFraming(framing).TryFind(InPieces(bytes, pieces), out found);
                Assert.Equal(whole ? expected : default, whole ? found : default);
            },
            iter: 3000);

    [Fact]
    public void A_message_that_the_framing_can_not_carry_is_refused_and_nothing_is_written()
    {
        ArrayBufferWriter<byte> written = new();
        Assert.Throws<InvalidOperationException>(() => Framing.LengthPrefix(1).Write(new byte[256], written));
        Assert.Throws<InvalidOperationException>(() => Framing.FixedLength(8).Write("short"u8, written));
        Assert.Equal(0, written.WrittenCount);
    }

    [Fact]
    public void A_length_prefix_past_the_message_limit_ends_the_connection()
    {
        InMemoryConnection connection = new(Handler("prefix4"), seed: 1);
        connection.PeerSends([0xff, 0xff, 0xff, 0xff]);
        connection.PeerSends(new byte[2 * 1024 * 1024]);
        connection.Run();
        Assert.Equal(CloseReason.MessageTooLarge, connection.Ended);
    }

    [Fact]
    public void Parameters_that_make_no_sense_are_refused()
    {
        Assert.Throws<ArgumentException>(static () => Framing.Delimiter([]));
        Assert.Throws<ArgumentOutOfRangeException>(static () => Framing.FixedLength(0));
        Assert.Throws<ArgumentOutOfRangeException>(static () => Framing.LengthPrefix(3));
    }

    private static (string Answer, CloseReason? Ended) Ask(string framing, string question, MessageFunction? answer = null)
    {
        InMemoryConnection connection = new(Handler(framing, answer), seed: 1);
        connection.PeerSends(Encoding.UTF8.GetBytes(question));
        connection.PeerEnds();
        connection.Run();
        return (SessionTests.Received(connection), connection.Ended);
    }

    private static StreamHandler Handler(string name, MessageFunction? answer = null) =>
        Service.Framed(name, FramingOf(name), answer ?? (static (message, answer) => UpperCase.Ascii(message, answer)))
            .NewStreamHandler!(InMemoryConnection.Info);

    private static Framing FramingOf(string name) => name switch
    {
        "line" => Framing.Line,
        "nul" => Framing.Nul,
        "delimiter" => Framing.Delimiter("--"u8),
        "fixed" => Framing.FixedLength(8),
        "prefix1" => Framing.LengthPrefix(1),
        "prefix2" => Framing.LengthPrefix(2),
        _ => Framing.LengthPrefix(4),
    };

    private static char[] Padded(char[] message) => [.. message.Concat(Enumerable.Repeat('.', 8)).Take(8)];

    /// <summary>The same bytes in pieces of these lengths, and then the rest.</summary>
    private static ReadOnlySequence<byte> InPieces(ReadOnlyMemory<byte> bytes, int[] lengths)
    {
        Piece first = new(ReadOnlyMemory<byte>.Empty, 0);
        Piece last = first;
        foreach (int length in lengths)
        {
            int count = Math.Min(length, bytes.Length);
            last = last.Append(bytes[..count]);
            bytes = bytes[count..];
        }

        last = last.Append(bytes);
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private static byte[] Frame(string name, char[] message)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(message);
        return name switch
        {
            "line" => [.. bytes, (byte)'\n'],
            "nul" => [.. bytes, 0],
            "delimiter" => [.. bytes, .. "--"u8],
            "fixed" => [.. bytes.Concat(new byte[8]).Take(8)],
            "prefix1" => [(byte)bytes.Length, .. bytes],
            "prefix2" => [0, (byte)bytes.Length, .. bytes],
            _ => [0, 0, 0, (byte)bytes.Length, .. bytes],
        };
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> bytes, long index) => (Memory, RunningIndex) = (bytes, index);

        public Piece Append(ReadOnlyMemory<byte> bytes)
        {
            Piece next = new(bytes, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }

    /// <summary>A framing of a user's own, which says only what it has to.</summary>
    private sealed class CopyingFraming(Framing framing) : Framing
    {
        public override bool EndCompletes => framing.EndCompletes;

        public override bool TryFind(ReadOnlySpan<byte> input, int searched, out Frame frame) =>
            framing.TryFind(input, searched, out frame);
    }
}
