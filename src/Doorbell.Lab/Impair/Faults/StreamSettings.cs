namespace Doorbell.Lab.Impair.Faults;

/// <summary>What can be set for streams alone; see docs/impair.md for toxiproxy's names of them.</summary>
internal static class StreamSettings
{
    private const long MaxBytes = 1L << 50;
    private const string ACount = "bytes from 0 on, as in 100 or 64k";
    private const string ACountAndATime = "bytes from 0 on, and perhaps a time of at most an hour, as in 64k or 64k,2s";

    public static IReadOnlyList<FaultSetting> All { get; } =
    [
        Make("slice", "BYTES[,TIME[,MORE]]",
            "Cut the stream into pieces of so many bytes, MORE or less, sent at least TIME apart [default: 0, both]",
            "bytes from 1 on, and perhaps a time of at most an hour and fewer bytes, as in 10,1ms or 10,1ms,5",
            static (stream, parts) => parts.Length <= 3 && FaultValue.Bytes(parts[0], 1, 1 << 30) is { } bytes
                && (parts.Length == 1 ? stream.SliceGap : FaultValue.Time(parts[1])) is { } gap
                && (parts.Length < 3 ? 0 : FaultValue.Bytes(parts[2], 0, bytes - 1)) is { } variation
                ? stream with { SliceBytes = (int)bytes, SliceGap = gap, SliceVariation = (int)variation } : null,
            static (to, from) => to with
            {
                SliceBytes = from.SliceBytes, SliceGap = from.SliceGap, SliceVariation = from.SliceVariation,
            },
            static stream => $"{FaultValue.OfBytes(stream.SliceBytes ?? 0)},{FaultValue.OfTime(stream.SliceGap)}"
                + (stream.SliceVariation > 0 ? $",{FaultValue.OfBytes(stream.SliceVariation)}" : "")),
        Make("stall", "BYTES", "Pass so many bytes, then nothing, and stay open", ACount,
            static (stream, parts) => parts.Length == 1 && FaultValue.Bytes(parts[0], 0, MaxBytes) is { } bytes
                ? stream with { StallAfter = bytes } : null,
            static (to, from) => to with { StallAfter = from.StallAfter },
            static stream => FaultValue.OfBytes(stream.StallAfter ?? 0)),
        Make("close-after", "BYTES[,TIME]", "Pass so many bytes, then nothing, and close to both peers TIME [default: 0] later",
            ACountAndATime,
            static (stream, parts) => CountAndTime(parts) is var (bytes, wait)
                ? stream with { CloseAfter = bytes, CloseWait = wait } : null,
            static (to, from) => to with { CloseAfter = from.CloseAfter, CloseWait = from.CloseWait },
            static stream => OfCountAndTime(stream.CloseAfter, stream.CloseWait)),
        Make("reset-after", "BYTES[,TIME]", "Pass so many bytes, then nothing, and reset both peers TIME [default: 0] later",
            ACountAndATime,
            static (stream, parts) => CountAndTime(parts) is var (bytes, wait)
                ? stream with { ResetAfter = bytes, ResetWait = wait } : null,
            static (to, from) => to with { ResetAfter = from.ResetAfter, ResetWait = from.ResetWait },
            static stream => OfCountAndTime(stream.ResetAfter, stream.ResetWait)),
        Make("half-open", "on|off", "Do not tell the receiver that the sender has ended: to it, the connection is still open", "on or off",
            static (stream, parts) => parts is ["on"] ? stream with { HalfOpen = true } : null,
            static (to, from) => to with { HalfOpen = from.HalfOpen },
            static _ => "on"),
        Make("slow-close", "TIME", "Pass an end on so much later", "a time of at most an hour, as in 2s",
            static (stream, parts) => parts.Length == 1 && FaultValue.Time(parts[0]) is { } time ? stream with { SlowClose = time } : null,
            static (to, from) => to with { SlowClose = from.SlowClose },
            static stream => FaultValue.OfTime(stream.SlowClose)),
    ];

    private static (long Bytes, TimeSpan Wait)? CountAndTime(string[] parts) => parts.Length <= 2
        && FaultValue.Bytes(parts[0], 0, MaxBytes) is { } bytes
        && (parts.Length == 1 ? TimeSpan.Zero : FaultValue.Time(parts[1])) is { } wait ? (bytes, wait) : null;

    private static string OfCountAndTime(long? bytes, TimeSpan wait) =>
        FaultValue.OfBytes(bytes ?? 0) + (wait > TimeSpan.Zero ? $",{FaultValue.OfTime(wait)}" : "");

    private static FaultSetting Make(
        string name, string form, string description, string takes, Func<StreamFaults, string[], StreamFaults?> set,
        Func<StreamFaults, StreamFaults, StreamFaults> copy, Func<StreamFaults, string> show) => new()
        {
            Name = name,
            Form = form,
            Description = description,
            Takes = takes,
            OfStreams = true,
            Set = (faults, parts) => set(faults.Stream, parts) is { } stream ? faults with { Stream = stream } : null,
            Copy = (to, from) => to with { Stream = copy(to.Stream, from.Stream) },
            Show = faults => show(faults.Stream),
        };
}
