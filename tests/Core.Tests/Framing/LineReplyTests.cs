using System.Text;
using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>Replies as textbook servers write them.</summary>
public sealed class LineReplyTests
{
    [Theory]
    [InlineData("HELLO\n", "HELLO", 6)]
    [InlineData("HELLO\r\nNEXT", "HELLO", 7)]
    [InlineData("HELLO\0\0\0", "HELLO", 6)]
    [InlineData("\0\0\0HELLO\n", "HELLO", 9)]
    [InlineData("\n", "", 1)]
    public void A_reply_ends_at_a_line_feed_or_a_nul_and_a_tail_of_nuls_belongs_to_none(string received, string reply, int consumed)
    {
        Assert.Equal(consumed, LineReply.TryRead(Encoding.UTF8.GetBytes(received), out ReadOnlySpan<byte> read));
        Assert.Equal(reply, Encoding.UTF8.GetString(read));
    }

    [Theory]
    [InlineData("")]
    [InlineData("HEL")]
    [InlineData("\0\0")]
    public void A_reply_without_its_end_is_not_yet_whole(string received) =>
        Assert.Equal(0, LineReply.TryRead(Encoding.UTF8.GetBytes(received), out _));

    [Theory]
    [InlineData("HELLO\0\0", "HELLO")]
    [InlineData("HELLO\n\0\0", "HELLO")]
    [InlineData("HELLO\r\n", "HELLO")]
    [InlineData("", "")]
    public void A_datagram_is_shown_without_padding_and_line_end(string datagram, string text) =>
        Assert.Equal(text, Encoding.UTF8.GetString(LineReply.OfDatagram(Encoding.UTF8.GetBytes(datagram))));
}
