using Doorbell.Sessions;

namespace Doorbell.Clients;

/// <summary>Lines, and replies as textbook servers write them; see <see cref="LineReply"/>.</summary>
/// <param name="keepsCarriageReturn">Whether a CR at a reply's end is the reply's.</param>
internal sealed class LineAnswerFraming(bool keepsCarriageReturn) : LineQuestionFraming
{
    public override string TooLongAdvice => "use Connector.ConnectAsync for streams without lines";

    public override bool TryFind(ReadOnlySpan<byte> received, int searched, out Frame frame)
    {
        frame = default;
        if (!received[searched..].ContainsAny((byte)'\n', (byte)0))
        {
            return false;
        }

        int consumed = LineReply.TryRead(received, out ReadOnlySpan<byte> reply);
        int start = PaddingOf(received);
        frame = new Frame(start, keepsCarriageReturn ? Math.Max(0, consumed - start - 1) : reply.Length, consumed);
        return consumed > 0;
    }

    public override bool TryFindAtEnd(ReadOnlySpan<byte> received, out Frame frame)
    {
        ReadOnlySpan<byte> reply = Part(received);
        frame = new Frame(PaddingOf(received), reply.Length, received.Length);
        return !reply.IsEmpty;
    }

    public override ReadOnlySpan<byte> Part(ReadOnlySpan<byte> received) =>
        keepsCarriageReturn ? received.Trim((byte)0) : LineReply.AtEnd(received);

    /// <summary>
    /// All but two bytes. The last byte may be the CR of an end of line, which is not the reply's. The one before tells that a reply has
    /// begun: a NUL behind it is its end and no padding, and so is the server's end.
    /// </summary>
    public override ReadOnlySpan<byte> Piece(ReadOnlySpan<byte> received) => received[..Math.Max(0, received.Length - 2)];

    /// <summary>A C server sends its whole buffer: the NULs behind a reply.</summary>
    public override int PaddingOf(ReadOnlySpan<byte> received)
    {
        int first = received.IndexOfAnyExcept((byte)0);
        return first < 0 ? received.Length : first;
    }
}
