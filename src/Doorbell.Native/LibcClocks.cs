using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>The C library's calls that read other processes' clocks.</summary>
internal static unsafe partial class LibcClocks
{
    /// <summary>
    /// The processor time, user and system, of all threads of a process, the ended ones too, in nanoseconds' steps where
    /// /proc/PID/stat has 10 ms (clock_getcpuclockid(3)). Null if there is no such process.
    /// </summary>
    public static TimeSpan? ProcessorTimeOf(int process)
    {
        int clock;
        TimeSpecification time;
        return clock_getcpuclockid(process, &clock) == 0 && clock_gettime(clock, &time) == 0
            ? TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromTicks(time.Nanoseconds / TimeSpan.NanosecondsPerTick)
            : null;
    }

    [LibraryImport("libc")]
    private static partial int clock_getcpuclockid(int process, int* clock);

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, TimeSpecification* time);

    /// <summary>struct timespec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpecification
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
