namespace Doorbell.Lab;

/// <summary>Lengths of time as people type them: a number alone means seconds.</summary>
public static class TimeText
{
    private static readonly TimeSpan _max = TimeSpan.FromDays(7);

    /// <summary>Reads a length of time.</summary>
    /// <param name="text">
    /// Seconds, or what <see cref="Durations"/> takes, as in <c>5</c>, <c>0.5</c>, <c>200ms</c>, <c>3s</c>, <c>2m</c>.
    /// </param>
    /// <param name="time">The time: 0 to 7 days. <see cref="TimeSpan.Zero"/> if the text is none.</param>
    /// <returns>Whether the text is such a length of time.</returns>
    public static bool TryParse(string text, out TimeSpan time)
    {
        bool isNumber = text.Length > 0 && text.All(static letter => char.IsAsciiDigit(letter) || letter == '.');
        bool isTime = Durations.TryParse(isNumber ? $"{text}s" : text, out time) && time >= TimeSpan.Zero && time <= _max;
        time = isTime ? time : TimeSpan.Zero;
        return isTime;
    }
}
