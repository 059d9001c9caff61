namespace Doorbell;

/// <summary>Where a message ends in a stream of bytes. Stateless: one instance serves all connections.</summary>
public abstract class Framing
{
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

    /// <summary>Finds the first whole message.</summary>
    /// <param name="input">All bytes not consumed so far.</param>
    /// <param name="searched">How many of them an earlier search saw without finding an end.</param>
    /// <param name="frame">Where it is.</param>
    /// <returns>Whether there is one.</returns>
    public abstract bool TryFind(ReadOnlySpan<byte> input, int searched, out Frame frame);

    /// <summary>Prepares <paramref name="output"/> for an answer.</summary>
    /// <returns>A place for <see cref="EndAnswer"/>.</returns>
    public virtual int BeginAnswer(OutputBuffer output) => output.Reserve(0);

    /// <summary>Frames what was written since <see cref="BeginAnswer"/>.</summary>
    /// <param name="output">Where it was written.</param>
    /// <param name="place">What <see cref="BeginAnswer"/> answered.</param>
    /// <param name="terminator">How the question ended; empty if it was ended by the end of input.</param>
    /// <exception cref="InvalidOperationException">The answer can't be framed this way: its length does not fit.</exception>
    public abstract void EndAnswer(OutputBuffer output, int place, ReadOnlySpan<byte> terminator);
}

/// <summary>A message's place in the input.</summary>
/// <param name="Start">Where its content begins.</param>
/// <param name="Length">Bytes of content.</param>
/// <param name="Consumed">Bytes of the whole frame, from the input's start.</param>
public readonly record struct Frame(int Start, int Length, int Consumed);
