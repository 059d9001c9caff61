using Doorbell.Native;

namespace Doorbell.Processes.Spawning;

/// <summary>A process of ours: its id, and a descriptor that is readable once it has ended (pidfd_open(2)).</summary>
internal readonly record struct ChildProcess(int Id, int Descriptor)
{
    /// <summary>How it ended: an exit code, or the signal that killed it.</summary>
    public readonly record struct Status(int ExitCode, int Signal)
    {
        public bool IsInOrder => ExitCode == 0 && Signal == 0;

        public override string ToString() => Signal == 0 ? $"exit code {ExitCode}" : $"killed by signal {Signal}";
    }

    /// <summary>
    /// Watches a process just started; 0, or errno. One that can't be watched is killed: nobody would ever reap it.
    /// </summary>
    public static int TryWatch(int id, out ChildProcess child)
    {
        int descriptor = LibcProcesses.OpenPidDescriptor(id);
        child = new ChildProcess(id, descriptor);
        if (descriptor >= 0)
        {
            return 0;
        }

        int errno = LinuxErrno.Last;
        _ = LibcProcesses.kill(-id, LibcProcesses.SignalKill);
        child.Reap(wait: true);
        return errno;
    }

    /// <summary>Signals the process and all of its group.</summary>
    public void SignalGroup(int signal) => _ = LibcProcesses.kill(-Id, signal);

    /// <summary>Whether any of its group is left, once it is reaped itself. As long as one is, no other process gets its number.</summary>
    public unsafe bool GroupIsAlive()
    {
        if (!HasMembers())
        {
            return false;
        }

        // The first process of a container inherits orphans, and to kill(2) one that has ended is a member until it is reaped.
        int status;
        while (LibcProcesses.waitpid(-Id, &status, LibcProcesses.WaitNoHang) > 0)
        {
        }

        return HasMembers();
    }

    /// <summary>Takes the status of a process that has ended; null if it has not.</summary>
    public Status? Reap() => Reap(wait: false);

    public void CloseDescriptor() => _ = Libc.close(Descriptor);

    private bool HasMembers() => LibcProcesses.kill(-Id, 0) == 0 || LinuxErrno.Last != Libc.NoProcess;

    private unsafe Status? Reap(bool wait)
    {
        int status;
        int answer;
        do
        {
            answer = LibcProcesses.waitpid(Id, &status, wait ? 0 : LibcProcesses.WaitNoHang);
        }
        while (answer < 0 && LinuxErrno.Last == Libc.Interrupted);

        if (answer != 0)
        {
            Orphans.Forget(Id);
        }

        // ECHILD: whoever started us ignores SIGCHLD, and so the kernel has reaped it (waitpid(2)).
        return answer switch
        {
            0 => null,
            < 0 => new Status(0, 0),
            _ => new Status((status >> 8) & 0xff, status & 0x7f),
        };
    }
}
