using Doorbell.Native;
using Doorbell.Processes.Spawning;

namespace Doorbell.Processes;

/// <summary>The signal of ended child processes, SIGCHLD (signal(7)).</summary>
public static class ChildSignals
{
    /// <summary>
    /// Sets the signal's action back to the system's default. A program calls this that starts no processes but those of a
    /// <see cref="Server"/>, and calls it once, before it starts one. A server learns of its processes' ends by descriptors
    /// (pidfd_open(2)) and needs no signal. The runtime's own handler, which <see cref="System.Diagnostics.Process"/> needs, would cost a
    /// write, a read and two switches of threads for each process that ends. As process 1, as in a container, its servers also reap the
    /// processes that lose their parents, once a second. Off Linux this does nothing.
    /// </summary>
    public static void UseDefault()
    {
        if (OperatingSystem.IsLinux())
        {
            _ = LibcProcesses.signal(LibcProcesses.SignalChild, LibcProcesses.SignalDefault);
            Orphans.ReapIfFirst();
        }
    }
}
