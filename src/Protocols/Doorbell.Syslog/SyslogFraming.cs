namespace Doorbell.Syslog;

/// <summary>
/// Messages in a stream (RFC 6587), each framed as it begins: one that begins with a digit follows its length (octet counting), another one
/// ends at LF or NUL. A server writes none.
/// </summary>
public sealed class SyslogFraming : Framing
{
    private const int MaxDigits = 9;

    private SyslogFraming()
    {
    }

    /// <summary>The one there is.</summary>
    public static SyslogFraming Instance { get; } = new();

    /// <inheritdoc/>
    public override bool EndCompletes => true;

    /// <inheritdoc/>
    public override bool TryFind(ReadOnlySpan<byte> input, int searched, out Frame frame)
    {
        frame = default;
        int digits = Math.Max(0, input.IndexOfAnyExceptInRange((byte)'0', (byte)'9'));
        if (digits is > 0 and <= MaxDigits && input[0] != '0' && input[digits] == ' ')
        {
            int length = 0;
            foreach (byte digit in input[..digits])
            {
                length = (length * 10) + (digit - '0');
            }

            frame = new Frame(digits + 1, length, digits + 1 + length);
            return input.Length >= frame.Consumed;
        }

        int end = input.IndexOfAny((byte)'\n', (byte)0);
        int text = end > 0 && input[end] == '\n' && input[end - 1] == '\r' ? end - 1 : end;
        frame = new Frame(0, text, end + 1);
        return end >= 0;
    }
}
