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
    /// of this session, since setsid(2) takes a process out of its group too. Who has not ended a second after SIGTERM gets SIGKILL. In
    /// that second too a number may be given away, so it is looked at again, with the time at which the group's leader was started
    /// (field 22 of /proc/PID/stat).
    /// </summary>
    private const string Script = """
        trap '' HUP INT QUIT TERM USR1 USR2 PIPE
        cd /
        exec >/dev/null 2>&1
        read -r end
        PATH="$PATH:/usr/bin:/bin"
        look() {
            session= started=
            stat=$(cat "/proc/$1/stat") || return
            set -- ${stat##*) }
            session=$4 started=${20}
        }
        look $$
        own=$session
        living=
        for group in $(cat <&3); do
            look "$group"
            [ -z "$session" ] || [ "$session" = "$own" ] || continue
            kill -s TERM -- "-$group" && living="$living $group:$started"
        done
        [ -z "$living" ] || sleep 1
        for group in $living; do
            before=${group#*:} group=${group%%:*}
            look "$group"
            [ -z "$session" ] || { [ "$session" = "$own" ] && [ "$started" = "$before" ]; } || continue
            kill -s KILL -- "-$group"
        done
        """;

    /// <summary>After a failure it is tried again so much later, when the next program is started.</summary>
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(1);

    private readonly ILogger _log;
    private readonly string _shell;

    /// <summary>The file.</summary>
    private readonly int _groups;
    private readonly SafeFileHandle _file;

    /// <summary>The pipe: the watcher's end, and ours, which only the end of this process closes.</summary>
    private readonly int _end;
    private readonly int _life;

    /// <summary>0 while there is none: then the programs would outlive this process, and all else is as it should be.</summary>
    private int _process;
    private TimeSpan _tryAgain;

    /// <param name="log">Hears if there can be none.</param>
    /// <param name="shell">What runs the script.</param>
    public ProgramWatcher(ILogger log, string shell = "/bin/sh")
    {
        const uint CloseOnExec = 1;
        int* ends = stackalloc int[2] { -1, -1 };
        _log = log;
        _shell = shell;
        fixed (byte* name = "doorbell-programs\0"u8)
        {
            _groups = Libc.memfd_create(name, CloseOnExec);
        }

        _file = new SafeFileHandle(_groups, ownsHandle: true);
        int errno = _groups >= 0 && Libc.pipe2(ends, Libc.CloseOnExec) == 0 ? 0 : LinuxErrno.Last;
        (_end, _life) = (ends[0], ends[1]);
        if (errno == 0)
        {
            Start();
        }
        else
        {
            Say(errno);
            _tryAgain = TimeSpan.MaxValue;
        }
    }

    /// <summary>
    /// From here on the group is ended if this process is. A watcher that somebody has ended is started anew, and so is one
    /// that could not be started before.
    /// </summary>
    /// <param name="slot">Not a slot that stays free below: the file would have a gap.</param>
    /// <param name="group">The program's process group.</param>
    public void Set(int slot, int group)
    {
        if (!IsWatching() && _tryAgain <= MonotonicClock.Now)
        {
            Start();
        }

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
        if (_process != 0)
        {
            // This process ends its programs itself.
            _ = LibcProcesses.kill(_process, LibcProcesses.SignalKill);
            int status;
            while (LibcProcesses.waitpid(_process, &status, 0) < 0 && LinuxErrno.Last == Libc.Interrupted)
            {
            }

            Orphans.Forget(_process);
        }

        _ = Libc.close(_life);
        _ = Libc.close(_end);
        _file.Dispose();
    }

    private bool IsWatching()
    {
        const int WithoutWaiting = 1;
        int status;
        if (_process != 0 && LibcProcesses.waitpid(_process, &status, WithoutWaiting) != 0)
        {
            Orphans.Forget(_process);
            _process = 0;
        }

        return _process != 0;
    }

    private void Start()
    {
        using Spawner spawner = new(_shell, ["doorbell-programs", "-c", Script], InheritedEnvironment.Read());
        int errno = spawner.TrySpawn([(_end, 0), (_groups, 3)], closeFrom: 4, [], out _process);
        if (errno != 0)
        {
            _process = 0;
            _tryAgain = MonotonicClock.Now + _pause;
            Say(errno);
        }
    }

    private void Say(int errno) =>
        ServerLog.NoProgramWatcher(_log, NetworkException.FromErrno("posix_spawn", _shell, errno).Message);

    private void Write(int slot, ReadOnlySpan<byte> line)
    {
        // Without a watcher too: the next one finds them all.
        if (_groups >= 0)
        {
            RandomAccess.Write(_file, line, (long)slot * SlotBytes);
        }
    }
}
