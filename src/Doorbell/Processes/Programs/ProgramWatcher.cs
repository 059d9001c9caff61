using System.Buffers.Text;
using Doorbell.Native;
using Doorbell.Processes.Spawning;
using Doorbell.Serving;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Doorbell.Processes.Programs;

/// <summary>
/// Ends the programs of a lane if this process is killed (SIGKILL), which nothing here could notice. A process of its own does it: a shell
/// that waits for the end of a pipe whose other end only this process has, and then reads a file in memory in which the programs' process
/// groups stand. PR_SET_PDEATHSIG (prctl(2)) would reach the program alone and nothing that it has started. One thread's own.
/// </summary>
internal sealed unsafe class ProgramWatcher : IDisposable
{
    /// <summary>A number of ten digits at most, and a line's end: a slot that is free has blanks.</summary>
    private const int SlotBytes = 11;

    /// <summary>
    /// Descriptor 0 is the pipe, 3 the file. A number that has been given to another process meanwhile is spared: the groups' members are
    /// of this session, since setsid(2) takes a process out of its group too. Who has not ended a second after SIGTERM gets SIGKILL.
    /// </summary>
    private const string Script = """
        trap '' HUP INT QUIT TERM USR1 USR2
        cd /
        exec >/dev/null 2>&1
        read -r end
        PATH="$PATH:/usr/bin:/bin"
        session() {
            stat=$(cat "/proc/$1/stat") || return
            set -- ${stat##*) }
            echo "$4"
        }
        own=$(session $$)
        living=
        for group in $(cat <&3); do
            of=$(session "$group")
            [ -z "$of" ] || [ "$of" = "$own" ] || continue
            kill -s TERM -- "-$group" && living="$living $group"
        done
        [ -z "$living" ] || sleep 1
        for group in $living; do
            kill -s KILL -- "-$group"
        done
        """;

    private readonly SafeFileHandle? _groups;
    private readonly int _life = -1;
    private readonly int _process;

    /// <param name="log">Hears if there can be none: then the programs outlive this process, and all else is as it should be.</param>
    public ProgramWatcher(ILogger log)
    {
        int errno = TryStart(out int groups, out _life, out _process);
        if (errno == 0)
        {
            _groups = new SafeFileHandle(groups, ownsHandle: true);
        }
        else
        {
            ServerLog.NoProgramWatcher(log, NetworkException.FromErrno("posix_spawn", "/bin/sh", errno).Message);
        }
    }

    /// <summary>From here on the group is ended if this process is.</summary>
    /// <param name="slot">Not a slot that stays free below: the file would have a gap.</param>
    /// <param name="group">The program's process group.</param>
    public void Set(int slot, int group)
    {
        Span<byte> line = stackalloc byte[SlotBytes];
        line.Fill((byte)' ');
        line[^1] = (byte)'\n';
        Write(slot, Utf8Formatter.TryFormat(group, line, out _) ? line : []);
    }

    /// <summary>The group is no more.</summary>
    public void Clear(int slot)
    {
        Span<byte> line = stackalloc byte[SlotBytes];
        line.Fill((byte)' ');
        line[^1] = (byte)'\n';
        Write(slot, line);
    }

    public void Dispose()
    {
        if (_groups is null)
        {
            return;
        }

        // This process ends its programs itself.
        _ = LibcProcesses.kill(_process, LibcProcesses.SignalKill);
        int status;
        while (LibcProcesses.waitpid(_process, &status, 0) < 0 && LinuxErrno.Last == Libc.Interrupted)
        {
        }

        Orphans.Forget(_process);
        _ = Libc.close(_life);
        _groups.Dispose();
    }

    private static int TryStart(out int groups, out int life, out int process)
    {
        const uint CloseOnExec = 1;
        int* ends = stackalloc int[2] { -1, -1 };
        fixed (byte* name = "doorbell-programs\0"u8)
        {
            groups = Libc.memfd_create(name, CloseOnExec);
        }

        process = 0;
        int errno = groups >= 0 && Libc.pipe2(ends, Libc.CloseOnExec) == 0 ? 0 : LinuxErrno.Last;
        if (errno == 0)
        {
            using Spawner spawner = new("/bin/sh", ["doorbell-programs", "-c", Script], InheritedEnvironment.Read());
            errno = spawner.TrySpawn([(ends[0], 0), (groups, 3)], closeFrom: 4, [], out process);
        }

        life = ends[1];
        _ = Libc.close(ends[0]);
        if (errno != 0)
        {
            _ = Libc.close(life);
            _ = Libc.close(groups);
        }

        return errno;
    }

    private void Write(int slot, ReadOnlySpan<byte> line)
    {
        if (_groups is not null)
        {
            RandomAccess.Write(_groups, line, (long)slot * SlotBytes);
        }
    }
}
