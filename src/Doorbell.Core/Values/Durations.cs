using System.Globalization;

namespace Doorbell;

/// <summary>Lengths of time as people write them in configurations: <c>250ms</c>, <c>30s</c>, <c>1.5m</c>, <c>2h</c>, <c>7d</c>.</summary>
/// <remarks>
/// .NET's own form, <c>00:00:30</c>, is read too. A number alone is not: to TimeSpan it means days, to most people seconds.
/// <c>infinite</c> is <see cref="Timeout.InfiniteTimeSpan"/>.
/// </remarks>
public static class Durations
{
    private const string Infinite = "infinite";

    /// <summary>Reads a length of time.</summary>
    /// <param name="text">In one of the forms above.</param>
    /// <exception cref="FormatException">It is none; the message is one line that says what would be right.</exception>
    public static TimeSpan Parse(string text) => TryParse(text, out TimeSpan duration)
        ? duration
        : throw new FormatException(
            $"\"{PrintableText.Escape(text)}\" is no length of time: give a number and its unit "
            + "(ms, s, m, h or d), as in 30s, or hh:mm:ss");

    /// <summary>Reads a length of time.</summary>
    /// <param name="text">In one of the forms above.</param>
    /// <param name="duration">The time, if it is one.</param>
    public static bool TryParse(string? text, out TimeSpan duration)
    {
        duration = Timeout.InfiniteTimeSpan;
        if (text is null || text.Equals(Infinite, StringComparison.OrdinalIgnoreCase))
        {
            return text is not null;
        }

        if (text.Contains(':'))
        {
            return TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out duration) && duration >= TimeSpan.Zero;
        }

        (string number, double seconds) = text switch
        {
            [.. var milliseconds, 'm', 's'] => (milliseconds, 0.001),
            [.. var some, 's'] => (some, 1),
            [.. var minutes, 'm'] => (minutes, 60),
            [.. var hours, 'h'] => (hours, 3600),
            [.. var days, 'd'] => (days, 24 * 3600),
            _ => ("", 0),
        };
        bool isNumber = double.TryParse(number.TrimEnd(' '), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value)
            && value * seconds < TimeSpan.MaxValue.TotalSeconds && !text.Contains('\0');
        duration = isNumber ? TimeSpan.FromSeconds(value * seconds) : default;
        return isNumber;
    }
}
