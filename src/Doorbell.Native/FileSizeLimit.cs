using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>How large the files may be that this process writes (RLIMIT_FSIZE, <c>ulimit -f</c>; setrlimit(2)).</summary>
internal static unsafe class FileSizeLimit
{
    private static PosixSignalRegistration? _exceeded;

    /// <summary>
    /// Past the limit the kernel ends the process by SIGXFSZ. Once the signal is caught, the write fails instead (EFBIG), and is told as
    /// other failures are. A program that is started does not inherit that, as it would inherit an ignored signal (execve(2)).
    /// </summary>
    public static void FailsWrites()
    {
        const int FileSize = 1;
        const int Exceeded = 25;
        nuint* limits = stackalloc nuint[2];
        if (Libc.getrlimit(FileSize, limits) == 0 && limits[0] != nuint.MaxValue)
        {
            _exceeded = PosixSignalRegistration.Create((PosixSignal)Exceeded, static signal => signal.Cancel = true);
        }
    }
}
