using System.Globalization;

namespace Doorbell.Lab;

/// <summary>Lengths of time as people write them.</summary>
public static class TimeText
{
    private const double MaxSeconds = 7 * 24 * 3600;

    /// <summary>Reads a length of time.</summary>
    /// <param name="text">Seconds, or a number with a unit, as in <c>5</c>, <c>0.5</c>, <c>200ms</c>, <c>3s</c>, <c>2m</c>.</param>
    /// <param name="time">The time: 0 to 7 days. <see cref="TimeSpan.Zero"/> if the text is none.</param>
    /// <returns>Whether the text is a length of time.</returns>
    public static bool TryParse(string text, out TimeSpan time)
    {
        (string number, double unit) = text switch
        {
            [.. var ms, 'm', 's'] => (ms, 0.001),
            [.. var s, 's'] => (s, 1),
            [.. var m, 'm'] => (m, 60),
            _ => (text, 1.0),
        };
        bool isNumber = double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value)
            && value * unit is >= 0 and <= MaxSeconds;
        time = isNumber ? TimeSpan.FromSeconds(value * unit) : TimeSpan.Zero;
        return isNumber;
    }
}
