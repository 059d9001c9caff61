using System.Globalization;

namespace Doorbell;

/// <summary>Counts in texts for people: "1 connection", "2 connections".</summary>
public static class Plural
{
    /// <summary>A number and what it counts.</summary>
    /// <param name="count">The number.</param>
    /// <param name="noun">One of them, as in <c>connection</c> or <c>process</c>.</param>
    public static string Of(long count, string noun)
    {
        string ending = count == 1 ? "" : noun.EndsWith('s') ? "es" : "s";
        return string.Create(CultureInfo.InvariantCulture, $"{count} {noun}{ending}");
    }
}
