using System.Diagnostics;

namespace Doorbell.Native;

/// <summary>Waits for the end of a process that need not be a child of ours (pidfd_open(2)). Linux.</summary>
internal static unsafe class ProcessEnd
{
    /// <summary>
    /// Whether a process has ended, or ends in time. By then its descriptors are closed: the kernel closes them before it tells.
    /// </summary>
    /// <param name="process">Its number here; 0 for one that this process can't see.</param>
    /// <param name="patience">How long to wait.</param>
    public static bool Wait(int process, TimeSpan patience)
    {
        int descriptor = LibcProcesses.OpenPidDescriptor(process);
        if (descriptor < 0)
        {
            return LinuxErrno.Last == Libc.NoProcess;
        }

        long began = Stopwatch.GetTimestamp();
        PollDescriptor ended = new() { Descriptor = descriptor, Events = PollDescriptor.In };
        int answer;
        do
        {
            TimeSpan left = patience - Stopwatch.GetElapsedTime(began);
            answer = Libc.poll(&ended, 1, Math.Max(0, (int)left.TotalMilliseconds));
        }
        while (answer < 0 && LinuxErrno.Last == Libc.Interrupted);

        _ = Libc.close(descriptor);
        return answer > 0;
    }
}
