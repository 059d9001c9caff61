using System.Globalization;
using Doorbell.Links;

namespace Doorbell.Lab.Impair.Faults;

/// <summary>The values of fault settings, to and from text.</summary>
internal static class FaultValue
{
    private const long MaxBitsPerSecond = 1_000_000_000_000;

    /// <summary>The longest time that a fault takes.</summary>
    public static TimeSpan MaxTime { get; } = TimeSpan.FromHours(1);

    /// <summary>As in <c>10%</c>: 0 to 1.</summary>
    public static double? Percentage(string text)
    {
        double part = 0;
        bool isNumber = text is [.. var number, '%']
            && double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out part);

        // A number may also be -Infinity or NaN.
        return isNumber && part is >= 0 and <= 100 ? part / 100 : null;
    }

    /// <summary>As in <c>5%,8</c>; 5 in a row if it is not said.</summary>
    public static BurstLoss? BurstLoss(string[] parts)
    {
        double length = 5;
        if (Percentage(parts[0]) is not { } loss || (parts.Length == 2
            && !double.TryParse(parts[1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out length)))
        {
            return null;
        }

        try
        {
            return Links.BurstLoss.Of(loss, length);
        }
        catch (ArgumentOutOfRangeException)
        {
            return null;
        }
    }

    /// <summary>At most an hour.</summary>
    public static TimeSpan? Time(string text) => TimeText.TryParse(text, out TimeSpan time) && time <= MaxTime
        ? time
        : null;

    /// <summary>As in <c>64k</c>, in bits a second: 64,000.</summary>
    public static long? Rate(string text)
    {
        (string number, long unit) = text switch
        {
            [.. var k, 'k'] => (k, 1_000L),
            [.. var m, 'm'] => (m, 1_000_000L),
            [.. var g, 'g'] => (g, 1_000_000_000L),
            _ => (text, 1L),
        };
        return long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value > 0
            && value <= MaxBitsPerSecond / unit ? value * unit : null;
    }

    /// <summary>As in <c>64k</c>, in bytes: 65,536.</summary>
    public static long? Bytes(string text, long least, long most)
    {
        (string number, int shift) = text switch
        {
            [.. var k, 'k'] => (k, 10),
            [.. var m, 'm'] => (m, 20),
            [.. var g, 'g'] => (g, 30),
            _ => (text, 0),
        };
        return long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out long value)
            && value <= most >> shift && value << shift >= least ? value << shift : null;
    }

    public static string OfPercentage(double part) => string.Create(CultureInfo.InvariantCulture, $"{part * 100:0.######}%");

    public static string OfTime(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0.####}ms");

    public static string OfRate(long bits) => Unit(bits, 1_000_000_000, "g") ?? Unit(bits, 1_000_000, "m") ?? Unit(bits, 1000, "k")
        ?? Unit(bits, 1, "")!;

    public static string OfBytes(long bytes) => Unit(bytes, 1 << 30, "g") ?? Unit(bytes, 1 << 20, "m") ?? Unit(bytes, 1 << 10, "k")
        ?? Unit(bytes, 1, "")!;

    private static string? Unit(long value, long unit, string letter) => value % unit == 0 && (value > 0 || unit == 1)
        ? string.Create(CultureInfo.InvariantCulture, $"{value / unit}{letter}")
        : null;
}
