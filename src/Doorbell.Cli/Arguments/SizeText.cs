using System.Globalization;

namespace Doorbell.Cli.Arguments;

/// <summary>Numbers of bytes as people type them.</summary>
internal static class SizeText
{
    /// <summary>Reads a number of bytes.</summary>
    /// <param name="text">
    /// As in <c>500</c>, <c>64k</c>, <c>16m</c> or <c>1g</c>, in either case: powers of 1,024, as <c>--option SO_RCVBUF=1m</c> has them.
    /// </param>
    /// <param name="bytes">The number; 0 if the text is none.</param>
    /// <returns>Whether the text is a number of bytes that an <see cref="int"/> holds.</returns>
    public static bool TryParse(string text, out int bytes)
    {
        int shift = text.Length == 0 ? 0 : char.ToLowerInvariant(text[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, _ => 0 };
        string digits = shift == 0 ? text : text[..^1];
        bool isNumber = long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            && number <= int.MaxValue >> shift && !text.Contains('\0');
        bytes = isNumber ? (int)(number << shift) : 0;
        return isNumber;
    }
}
