using System.Globalization;
using Doorbell.Lab;

namespace Doorbell.Cli.Arguments;

/// <summary>A length of time that prints as the seconds it was given in.</summary>
internal readonly record struct Duration(TimeSpan Time)
{
    /// <summary>Seconds, or with a unit, as in <c>5</c>, <c>0.5</c>, <c>200ms</c>, <c>2m</c>; at most 7 days.</summary>
    public static bool TryParse(string text, out Duration duration)
    {
        bool isTime = TimeText.TryParse(text, out TimeSpan time);
        duration = new Duration(time);
        return isTime;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Time.TotalSeconds:0.###}");
}
