using System.Text;
using CsCheck;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>The main job, on the in-memory lane.</summary>
public sealed class CapitalizeTests
{
    private const int LongLine = 16 * 1024;

    [Theory]
    [InlineData("hello\n", "HELLO\n")]
    [InlineData("hello\r\n", "HELLO\r\n")]
    [InlineData("hello\0", "HELLO\0")]
    [InlineData("hello\n\0", "HELLO\n\0")]
    [InlineData("one\ntwo\nthree\n", "ONE\nTWO\nTHREE\n")]
    [InlineData("\n", "\n")]
    [InlineData("straße ŉ ﬃ ΐ\n", "STRASSE ʼN FFI \u0399\u0308\u0301\n")]
    public void Finished_lines_are_answered_with_their_ends_in_one_send(string question, string answer)
    {
        InMemoryConnection connection = SessionTests.Connection(ClassicServices.Capitalize.NewStreamHandler!(InMemoryConnection.Info));
        connection.PeerSends(Encoding.UTF8.GetBytes(question));
        Assert.True(connection.Step());
        Assert.True(connection.Step());
        Assert.Equal(answer, SessionTests.Received(connection));
        Assert.Equal(question.Count(static c => c is '\n' or '\0'), connection.Ledger.Read().Requests);
    }

    [Fact]
    public void An_unfinished_line_waits_and_is_answered_at_the_end_of_input()
    {
        InMemoryConnection connection = SessionTests.Connection(ClassicServices.Capitalize.NewStreamHandler!(InMemoryConnection.Info));
        connection.PeerSends("done\nnot yet"u8);
        connection.Run();
        Assert.Equal("DONE\n", SessionTests.Received(connection));
        connection.PeerEnds();
        connection.Run();
        Assert.Equal("DONE\nNOT YET", SessionTests.Received(connection));
        Assert.Equal(CloseReason.Completed, connection.Ended);
    }

    [Fact]
    public void A_long_line_is_answered_as_it_comes_and_not_in_the_middle_of_a_character()
    {
        InMemoryConnection connection = SessionTests.Connection(ClassicServices.Capitalize.NewStreamHandler!(InMemoryConnection.Info));
        byte[] line = Encoding.UTF8.GetBytes(new string('ж', LongLine));
        connection.PeerSends(line.AsSpan(0, LongLine + 1));
        connection.Run();
        Assert.Equal(LongLine, connection.PeerReceived.Length);
        connection.PeerSends(line.AsSpan(LongLine + 1));
        connection.PeerEnds();
        connection.Run();
        Assert.Equal(new string('Ж', LongLine), SessionTests.Received(connection));
    }

    [Fact]
    public void Ascii_changes_letters_a_to_z_alone()
    {
        InMemoryConnection connection = SessionTests.Connection(ClassicServices.CapitalizeAscii.NewStreamHandler!(InMemoryConnection.Info));
        connection.PeerSends("az@[`{ ß\n"u8);
        connection.Run();
        Assert.Equal("AZ@[`{ ß\n", SessionTests.Received(connection));
    }

    [Fact]
    public void Any_bytes_cut_into_any_pieces_give_the_same_answer_as_in_one_piece() =>
        Gen.Select(Bytes, Gen.Int, Gen.Int[1, 5000]).Sample(
            static (bytes, seed, largest) =>
            {
                byte[] whole = Answer(bytes, connection => connection.CutAtRandom = false, seed: 1);
                byte[] pieces = Answer(bytes, connection => connection.LargestReceive = connection.LargestSend = largest, seed);
                return whole.AsSpan().SequenceEqual(pieces) && whole.AsSpan().SequenceEqual(InOneCall(bytes));
            },
            iter: 3000);

    private static Gen<byte[]> Bytes => Gen.OneOf(
        Gen.Byte.Array[0, 2000],
        Gen.OneOfConst("\n", "\0", "\r\n", "a", "ß", "ж", "ŉ", "\U0001F600", "𐐨").Array[0, 500]
            .Select(static parts => Encoding.UTF8.GetBytes(string.Concat(parts))),
        Gen.Select(Gen.Char['a', 'z'], Gen.Int[0, 3 * LongLine]).Select(static (c, n) => Encoding.UTF8.GetBytes(new string(c, n))),
        Gen.Select(Gen.Byte.Array[0, 20], Gen.Int[0, LongLine]).Select(static (b, n) => Enumerable.Repeat(b,
            1 + (n / 20)).SelectMany(static x => x).ToArray()));

    private static byte[] Answer(byte[] bytes, Action<InMemoryConnection> configure, int seed)
    {
        InMemoryConnection connection = new(ClassicServices.Capitalize.NewStreamHandler!(InMemoryConnection.Info), seed);
        configure(connection);
        connection.PeerSends(bytes);
        connection.PeerEnds();
        connection.Run();
        Assert.Equal(CloseReason.Completed, connection.Ended);
        Assert.Equal(0, connection.RentedBytes);
        return connection.PeerReceived.ToArray();
    }

    private static byte[] InOneCall(byte[] bytes)
    {
        System.Buffers.ArrayBufferWriter<byte> output = new();
        UpperCase.Unicode(bytes, output, isFinal: true);
        return output.WrittenSpan.ToArray();
    }
}
