using System.Globalization;

namespace Doorbell.Options;

/// <summary>Reads limits of a server and of its doors from a configuration's pairs, each by its property's name in any case.</summary>
internal static class LimitSettings
{
    private static readonly Dictionary<string, Func<StreamLimitOverrides, string, StreamLimitOverrides>> _ofStreams =
        new(StringComparer.OrdinalIgnoreCase)
        {
            ["MaxMessageBytes"] = static (limits, value) => limits with { MaxMessageBytes = Number(value, 1) },
            ["OutputHighMark"] = static (limits, value) => limits with { OutputHighMark = Number(value, 1) },
            ["MaxPendingOutput"] = static (limits, value) => limits with { MaxPendingOutput = Number(value, 1) },
            ["IdleTimeout"] = static (limits, value) => limits with { IdleTimeout = TimeOrNever(value) },
            ["FirstByteTimeout"] = static (limits, value) => limits with { FirstByteTimeout = TimeOrNever(value) },
            ["OpeningTimeout"] = static (limits, value) => limits with { OpeningTimeout = TimeOrNever(value) },
            ["MaxLifetime"] = static (limits, value) => limits with { MaxLifetime = TimeOrNever(value) },
            ["MinDataRate"] = static (limits, value) => limits with { MinDataRate = Number(value, 0) },
            ["MinDataRateGrace"] = static (limits, value) => limits with { MinDataRateGrace = Time(value) },
            ["CloseTimeout"] = static (limits, value) => limits with { CloseTimeout = Time(value) },
            ["MaxStepsPerRound"] = static (limits, value) => limits with { MaxStepsPerRound = Number(value, 1) },
        };

    private static readonly Dictionary<string, Func<DoorLimits, string, DoorLimits>> _ofDoors =
        new(StringComparer.OrdinalIgnoreCase)
        {
            ["MaxConnections"] = static (limits, value) => limits with { MaxConnections = Number(value, 1) },
            ["MaxConnectionsPerAddress"] = static (limits, value) => limits with { MaxConnectionsPerAddress = Number(value, 1) },
            ["MaxDatagramBytes"] = static (limits, value) => limits with { MaxDatagramBytes = Number(value, 1) },
            ["MaxAmplification"] = static (limits, value) => limits with { MaxAmplification = Number(value, 0) },
            ["LoopGuardAnswers"] = static (limits, value) => limits with { LoopGuardAnswers = Number(value, 0) },
            ["MaxAnswersPerTurn"] = static (limits, value) => limits with { MaxAnswersPerTurn = Number(value, 1) },
            ["MaxOpenedSockets"] = static (limits, value) => limits with { MaxOpenedSockets = Number(value, 0) },
        };

    /// <summary>Sets one limit of all doors.</summary>
    public static StreamLimitOverrides Apply(StreamLimitOverrides limits, string name, string value) =>
        _ofStreams.TryGetValue(name, out Func<StreamLimitOverrides, string, StreamLimitOverrides>? set)
            ? set(limits, value)
            : throw new FormatException($"there is no such limit; there are {string.Join(", ", _ofStreams.Keys)}");

    /// <summary>Sets one limit of a door.</summary>
    public static DoorLimits Apply(DoorLimits limits, string name, string value) =>
        _ofDoors.TryGetValue(name, out Func<DoorLimits, string, DoorLimits>? set) ? set(limits, value)
            : _ofStreams.TryGetValue(name, out Func<StreamLimitOverrides, string, StreamLimitOverrides>? ofStream)
                ? (DoorLimits)ofStream(limits, value)
            : throw new FormatException($"there is no such limit; there are {string.Join(", ", _ofDoors.Keys.Concat(_ofStreams.Keys))}");

    public static int Number(string value, int min) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= min
            && !value.Contains('\0')
            ? number
            : throw new FormatException($"\"{PrintableText.Escape(value)}\" is no whole number from {min} to {int.MaxValue}");

    /// <summary>A number of bytes, which may be more than a thousand million.</summary>
    public static long Number(string value) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number > 0 && !value.Contains('\0')
            ? number
            : throw new FormatException($"\"{PrintableText.Escape(value)}\" is no whole number from 1 to {long.MaxValue}");

    private static TimeSpan TimeOrNever(string value)
    {
        TimeSpan time = Durations.Parse(value);
        return time == Timeout.InfiniteTimeSpan || time > TimeSpan.Zero
            ? time
            : throw new FormatException($"\"{PrintableText.Escape(value)}\" is no time to wait: give more than 0, or infinite");
    }

    private static TimeSpan Time(string value) => Durations.Parse(value) is var time && time >= TimeSpan.Zero
        ? time
        : throw new FormatException($"\"{PrintableText.Escape(value)}\" is no time that ends: give one as in 30s");
}
