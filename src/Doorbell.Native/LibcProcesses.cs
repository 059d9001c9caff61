using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>The C library's calls that make, signal and reap processes on Linux.</summary>
internal static unsafe partial class LibcProcesses
{
    /// <summary>Sizes of glibc's opaque structs, rounded up: posix_spawnattr_t has 336 bytes, posix_spawn_file_actions_t 80.</summary>
    public const int SpawnAttributesBytes = 512;
    public const int SpawnFileActionsBytes = 128;
    public const int SignalSetBytes = 128;

    public const short SpawnSetProcessGroup = 2;
    public const short SpawnSetSignalDefault = 4;
    public const short SpawnSetSignalMask = 8;

    public const int SignalKill = 9;
    public const int SignalTerminate = 15;
    public const int SignalChild = 17;
    public const nint SignalDefault = 0;

    public const int WaitNoHang = 1;
    public const int WaitExited = 4;
    public const int WaitLeave = 0x1000000;

    /// <summary>siginfo_t has 128 bytes; si_pid of a child's end is behind the first 16 on every 64-bit architecture.</summary>
    public const int SignalInfoBytes = 128;
    public const int SignalInfoPid = 16;

    private const nint PidfdOpen = 434;

    [LibraryImport("libc")]
    public static partial int posix_spawn(int* pid, byte* path, void* fileActions, void* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_init(void* actions);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_destroy(void* actions);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_adddup2(void* actions, int from, int to);

    /// <summary>glibc 2.34 and later.</summary>
    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_addclosefrom_np(void* actions, int from);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_init(void* attributes);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setflags(void* attributes, short flags);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setsigdefault(void* attributes, void* signals);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setsigmask(void* attributes, void* signals);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setpgroup(void* attributes, int group);

    [LibraryImport("libc")]
    public static partial int sigemptyset(void* signals);

    [LibraryImport("libc")]
    public static partial nint signal(int signal, nint handler);

    /// <summary>Blocks SIGTTOU, signal 22, in this thread and in those that it starts (pthread_sigmask(3)).</summary>
    public static void BlockBackgroundOutput()
    {
        const int Block = 0;
        byte* signals = stackalloc byte[SignalSetBytes];
        new Span<byte>(signals, SignalSetBytes).Clear();
        *(ulong*)signals = 1ul << (22 - 1);
        _ = pthread_sigmask(Block, signals, null);
    }

    /// <summary>This thread blocks no signal any more.</summary>
    public static void UnblockSignals()
    {
        const int Set = 2;
        byte* signals = stackalloc byte[SignalSetBytes];
        new Span<byte>(signals, SignalSetBytes).Clear();
        _ = pthread_sigmask(Set, signals, null);
    }

    [LibraryImport("libc", SetLastError = true)]
    public static partial int execve(byte* path, byte** arguments, byte** environment);

    [LibraryImport("libc")]
    private static partial int pthread_sigmask(int how, void* signals, void* before);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int kill(int pid, int signal);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int waitpid(int pid, int* status, int options);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int waitid(int kind, int id, byte* signalInfo, int options);

    /// <summary>pidfd_open(2), Linux 5.3; has the same number on every architecture.</summary>
    public static int OpenPidDescriptor(int pid) => (int)syscall(PidfdOpen, pid, 0);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint first, nint second);
}
