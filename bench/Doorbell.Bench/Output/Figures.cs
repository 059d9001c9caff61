using System.Globalization;

namespace Doorbell.Bench;

/// <summary>Numbers as text.</summary>
internal static class Figures
{
    /// <summary>Three figures that mean something.</summary>
    public static string Text(double number) => number.ToString(
        Math.Abs(number) switch
        {
            >= 100 => "#,0",
            >= 10 => "0.0",
            >= 1 => "0.00",
            _ => "0.000",
        },
        CultureInfo.InvariantCulture);

    public static string Text(Spread? spread) =>
        spread is { } all ? $"{Text(all.Median)} ({Text(all.Lowest)}–{Text(all.Highest)})" : "";

    public static string Ratio(double ratio) => ratio.ToString(ratio < 0.1 ? "0.000" : "0.00", CultureInfo.InvariantCulture);

    public static string Ratio(Spread? spread) =>
        spread is { } all ? $"{Ratio(all.Median)} ({Ratio(all.Lowest)}–{Ratio(all.Highest)})" : "";

    public static string Percent(Spread? share) => share is { } all ? all.Median.ToString("0 %", CultureInfo.InvariantCulture) : "";
}
