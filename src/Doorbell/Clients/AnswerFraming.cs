using System.Buffers;
using Doorbell.Sessions;

namespace Doorbell.Clients;

/// <summary>How a client frames its questions and finds the answers.</summary>
internal class AnswerFraming(Framing framing)
{
    /// <summary>What to do about an answer that is too long.</summary>
    public virtual string TooLongAdvice => $"allow more with {nameof(MessageClientOptions)}.{nameof(MessageClientOptions.MaxAnswerBytes)}";

    /// <summary>The question as it is sent.</summary>
    /// <exception cref="ArgumentException">The framing can't carry it, or would carry it as several messages.</exception>
    public virtual byte[] Frame(ReadOnlySpan<byte> message)
    {
        ArrayBufferWriter<byte> framed = new(framing.HeaderBytes + message.Length + framing.Terminator.Length + 1);
        try
        {
            framing.Write(message, framed);
        }
        catch (InvalidOperationException refused)
        {
            throw new ArgumentException(refused.Message, nameof(message), refused);
        }

        if (!framing.TryFind(framed.WrittenSpan, searched: 0, out Frame frame) || frame.Consumed != framed.WrittenCount)
        {
            // Its answers would be several, and the next question would get the second one.
            throw new ArgumentException("The message holds what ends a message, so that it would be several.", nameof(message));
        }

        return framed.WrittenSpan.ToArray();
    }

    /// <summary>Finds the first whole answer.</summary>
    public virtual bool TryFind(ReadOnlySpan<byte> received, int searched, out Frame frame) =>
        framing.TryFind(received, searched, out frame);

    /// <summary>Finds an answer that the server's end has ended.</summary>
    public virtual bool TryFindAtEnd(ReadOnlySpan<byte> received, out Frame frame)
    {
        frame = new Frame(0, received.Length, received.Length);
        return framing.EndCompletes && !received.IsEmpty;
    }

    /// <summary>What has come of an answer that isn't whole.</summary>
    public virtual ReadOnlySpan<byte> Part(ReadOnlySpan<byte> received) => received;

    /// <summary>
    /// What is sure to be the beginning of an answer that isn't whole. The rest alone has the same end as it has behind this beginning.
    /// </summary>
    /// <param name="received">In which no end was found, and no padding is at the front.</param>
    public virtual ReadOnlySpan<byte> Piece(ReadOnlySpan<byte> received) => [];

    /// <summary>How many bytes at the front belong to no answer.</summary>
    public virtual int PaddingOf(ReadOnlySpan<byte> received) => 0;
}

/// <summary>Lines, and replies as textbook servers write them; see <see cref="LineReply"/>.</summary>
/// <param name="keepsCarriageReturn">Whether a CR at a reply's end is the reply's.</param>
internal sealed class LineAnswerFraming(bool keepsCarriageReturn) : AnswerFraming(Framing.Line)
{
    public override string TooLongAdvice => "use Connector.ConnectAsync for streams without lines";

    public override byte[] Frame(ReadOnlySpan<byte> message) => message.ContainsAny((byte)'\n', (byte)0)
        ? throw new ArgumentException("a line to ask can't hold an LF or a NUL, which end it; use Connector.ConnectAsync for other bytes")
        : [.. message, (byte)'\n'];

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
