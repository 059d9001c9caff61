using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>io_uring_enter(2).</summary>
internal static unsafe partial class LibcRing
{
    private const nint EnterCall = 426;
    private const uint EnterGetEvents = 1;
    private const uint EnterExtendedArgument = 1 << 3;

    /// <summary>Submits, and sleeps until so many completions are there, or so many milliseconds have passed; -1 is for ever.</summary>
    public static nint Enter(int ring, uint submit, uint completions, int milliseconds)
    {
        if (milliseconds == 0 || completions == 0)
        {
            return Libc.Answer(enter_now(EnterCall, ring, (nint)submit, 0, (nint)EnterGetEvents, 0, 0));
        }

        TimeSpecification time = new() { Seconds = milliseconds / 1000, Nanoseconds = milliseconds % 1000 * 1_000_000L };
        Argument argument = new() { SignalSetBytes = 8, Time = milliseconds > 0 ? (ulong)&time : 0 };
        return enter(
            EnterCall,
            ring,
            (nint)submit,
            (nint)completions,
            (nint)(EnterGetEvents | EnterExtendedArgument),
            (nint)(&argument),
            sizeof(Argument));
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint enter(nint number, nint ring, nint submit, nint completions, nint flags, nint argument, nint size);

    /// <summary>Does not wait.</summary>
    [LibraryImport("libc", EntryPoint = "syscall")]
    [SuppressGCTransition]
    private static partial nint enter_now(nint number, nint ring, nint submit, nint completions, nint flags, nint argument, nint size);

    /// <summary>struct io_uring_getevents_arg.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Argument
    {
        public ulong Signals;
        public uint SignalSetBytes;
        public uint MinimumWait;
        public ulong Time;
    }

    /// <summary>struct __kernel_timespec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpecification
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
