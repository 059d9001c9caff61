using System.Buffers;

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

    /// <summary>Finds what the server said first.</summary>
    public virtual bool TryFindGreeting(ReadOnlySpan<byte> received, out Frame frame) => TryFind(received, searched: 0, out frame);

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

    /// <summary>Whether our side of the connection ends behind a question.</summary>
    public virtual bool HalfCloses => false;
}
