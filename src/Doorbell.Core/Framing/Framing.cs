using System.Buffers;

namespace Doorbell;

/// <summary>Where a message ends in a stream of bytes. Stateless: one instance serves all connections, on any thread.</summary>
/// <remarks>
/// Code over pipes uses <see cref="TryRead"/> and <see cref="Write(ReadOnlySpan{byte}, IBufferWriter{byte})"/>. A framing of one's own
/// implements <see cref="TryFind(ReadOnlySpan{byte}, int, out Frame)"/>, and says by <see cref="HeaderBytes"/>, <see cref="WriteHeader"/>
/// and <see cref="Terminator"/> what stands before and behind a message. Each header that it writes has the same length, since room is kept
/// for it before the message is known; those that it reads may differ.
/// </remarks>
public abstract class Framing
{
    /// <summary>The longest header that a framing may have, in bytes.</summary>
    public const int MaxHeaderBytes = 64;

    /// <summary>A line ends at LF or NUL; a CR before the LF belongs to the end. The answer ends as the question did.</summary>
    public static Framing Line { get; } = new LineFraming();

    /// <summary>A message ends at a NUL byte.</summary>
    public static Framing Nul { get; } = new DelimiterFraming([0]);

    /// <summary>A message ends at <paramref name="delimiter"/>.</summary>
    /// <param name="delimiter">One byte or more; copied.</param>
    /// <exception cref="ArgumentException">It is empty.</exception>
    public static Framing Delimiter(ReadOnlySpan<byte> delimiter) => new DelimiterFraming(delimiter.ToArray());

    /// <summary>Every message is <paramref name="length"/> bytes long.</summary>
    /// <param name="length">Bytes, at least 1.</param>
    public static Framing FixedLength(int length) => new FixedLengthFraming(length);

    /// <summary>A message follows its length, a big-endian number (network byte order) of <paramref name="prefixBytes"/> bytes.</summary>
    /// <param name="prefixBytes">1, 2 or 4.</param>
    public static Framing LengthPrefix(int prefixBytes) => new LengthPrefixFraming(prefixBytes);

    /// <summary>Whether what is left at the peer's end of input is a message too, rather than a broken one.</summary>
    public abstract bool EndCompletes { get; }

    /// <summary>Bytes that stand before each message, such as its length; at most <see cref="MaxHeaderBytes"/>. By default 0.</summary>
    public virtual int HeaderBytes => 0;

    /// <summary>
    /// What stands behind a message. A server's answer ends as its question did instead. By default nothing stands there.
    /// </summary>
    public virtual ReadOnlySpan<byte> Terminator => [];

    /// <summary>Finds the first whole message.</summary>
    /// <param name="input">All bytes not consumed so far.</param>
    /// <param name="searched">How many of them an earlier search saw without finding an end.</param>
    /// <param name="frame">Where it is.</param>
    /// <returns>Whether there is one.</returns>
    public abstract bool TryFind(ReadOnlySpan<byte> input, int searched, out Frame frame);

    /// <summary>Finds the first whole message in bytes that may lie in several pieces.</summary>
    /// <param name="input">All bytes not consumed so far.</param>
    /// <param name="frame">Where it is.</param>
    /// <returns>Whether there is one.</returns>
    /// <remarks>By default the pieces are copied to stand together; the framings made here search them where they are.</remarks>
    public virtual bool TryFind(in ReadOnlySequence<byte> input, out Frame frame)
    {
        if (input.IsSingleSegment)
        {
            return TryFind(input.FirstSpan, searched: 0, out frame);
        }

        int length = (int)Math.Min(input.Length, Array.MaxLength);
        byte[] together = ArrayPool<byte>.Shared.Rent(length);
        input.Slice(0, length).CopyTo(together);
        bool found = TryFind(together.AsSpan(0, length), searched: 0, out frame);
        ArrayPool<byte>.Shared.Return(together);
        return found;
    }

    /// <summary>Takes the first whole message from bytes as a PipeReader gives them.</summary>
    /// <param name="input">All bytes not consumed so far; if there is a message, what follows it.</param>
    /// <param name="message">The message without its framing: a part of the input, valid as long as that is.</param>
    /// <returns>Whether there is one; if not, <paramref name="input"/> is as it was.</returns>
    public bool TryRead(ref ReadOnlySequence<byte> input, out ReadOnlySequence<byte> message)
    {
        if (!TryFind(input, out Frame frame))
        {
            message = default;
            return false;
        }

        message = input.Slice(frame.Start, frame.Length);
        input = input.Slice(frame.Consumed);
        return true;
    }

    /// <summary>Writes a message with its header and <see cref="Terminator"/>.</summary>
    /// <param name="message">Without framing. Bytes in it that end a message, such as an LF in a line, are not looked for.</param>
    /// <param name="output">Where to.</param>
    /// <exception cref="InvalidOperationException">The framing can't carry a message of this length; nothing is written.</exception>
    public void Write(ReadOnlySpan<byte> message, IBufferWriter<byte> output) => Write(message, Terminator, output);

    /// <summary>Writes a message with its header and an end of its own, such as the one that its question had.</summary>
    /// <param name="message">Without framing. Bytes in it that end a message, such as an LF in a line, are not looked for.</param>
    /// <param name="terminator">What stands behind it; may be empty.</param>
    /// <param name="output">Where to.</param>
    /// <exception cref="InvalidOperationException">The framing can't carry a message of this length; nothing is written.</exception>
    public void Write(ReadOnlySpan<byte> message, ReadOnlySpan<byte> terminator, IBufferWriter<byte> output)
    {
        Span<byte> header = stackalloc byte[MaxHeaderBytes];
        header = header[..HeaderBytes];
        WriteHeader(header, message.Length);
        output.Write(header);
        output.Write(message);
        output.Write(terminator);
    }

    /// <summary>Fills in what stands before a message. By default nothing does, and a message of any length can be carried.</summary>
    /// <param name="header">Exactly <see cref="HeaderBytes"/> long; to be filled.</param>
    /// <param name="length">Bytes of the message.</param>
    /// <exception cref="InvalidOperationException">The framing can't carry a message of this length.</exception>
    public virtual void WriteHeader(Span<byte> header, int length)
    {
    }
}

/// <summary>A message's place in the input.</summary>
/// <param name="Start">Where its content begins.</param>
/// <param name="Length">Bytes of content.</param>
/// <param name="Consumed">Bytes of the whole frame, from the input's start.</param>
public readonly record struct Frame(int Start, int Length, int Consumed);
