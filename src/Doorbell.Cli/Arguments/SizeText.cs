using System.Globalization;

namespace Doorbell.Cli.Arguments;

/// <summary>Numbers of bytes as people type them.</summary>
internal static class SizeText
{
    private static readonly (char Letter, int Shift)[] _units = [('g', 30), ('m', 20), ('k', 10)];

    /// <summary>A number of bytes in the largest unit that it has one of, and not more than what there is: <c>1.5g</c>.</summary>
    public static string Of(long bytes)
    {
        foreach ((char letter, int shift) in _units)
        {
            if (bytes >= 1L << shift)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(bytes * 10.0 / (1L << shift)) / 10:0.#}{letter}");
            }
        }

        return $"{bytes}";
    }

    /// <summary>Reads a number of bytes.</summary>
    /// <param name="text">
    /// As in <c>500</c>, <c>64k</c>, <c>16m</c> or <c>1g</c>, in either case: powers of 1,024, as <c>--option SO_RCVBUF=1m</c> has them.
    /// </param>
    /// <param name="bytes">The number; 0 if the text is none.</param>
    /// <returns>Whether the text is a number of bytes that an <see cref="int"/> holds.</returns>
    public static bool TryParse(string text, out int bytes)
    {
        bool isNumber = TryParse(text, int.MaxValue, out long number);
        bytes = (int)number;
        return isNumber;
    }

    /// <summary>Reads a number of bytes that may be more than an <see cref="int"/> holds.</summary>
    /// <param name="text">As above.</param>
    /// <param name="max">The most.</param>
    /// <param name="bytes">The number; 0 if the text is none.</param>
    public static bool TryParse(string text, long max, out long bytes)
    {
        int shift = text.Length == 0 ? 0 : char.ToLowerInvariant(text[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, _ => 0 };
        string digits = shift == 0 ? text : text[..^1];
        bool isNumber = long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            && number <= max >> shift && !text.Contains('\0');
        bytes = isNumber ? number << shift : 0;
        return isNumber;
    }
}
