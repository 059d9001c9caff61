using System.Runtime.InteropServices;
using Doorbell.Native;
using Doorbell.Serving;

namespace Doorbell.Processes.Spawning;

/// <summary>
/// Reaps what the kernel hands to process 1 (wait(2)): processes whose parents have ended, as a program leaves them behind. As any other
/// process this does nothing. Any thread may call any member.
/// </summary>
internal static unsafe class Orphans
{
    private static readonly Lock _gate = new();
    private static readonly HashSet<int> _ours = [];
    private static bool _reaps;

    /// <summary>
    /// This process starts no others but through a <see cref="Spawner"/>: if it is process 1, all other children that end are orphans.
    /// </summary>
    public static void ReapIfFirst() => _reaps = Environment.ProcessId == 1;

    /// <summary>A process is about to be started that is somebody's to reap: until <see cref="EndStart"/> none is reaped here.</summary>
    public static void BeginStart()
    {
        if (_reaps)
        {
            _gate.Enter();
        }
    }

    /// <param name="id">The process that was started; 0 if that failed.</param>
    public static void EndStart(int id)
    {
        if (_reaps)
        {
            _ours.Add(id);
            _gate.Exit();
        }
    }

    /// <summary>The process has been reaped, or nobody will.</summary>
    public static void Forget(int id)
    {
        if (_reaps)
        {
            lock (_gate)
            {
                _ours.Remove(id);
            }
        }
    }

    /// <summary>Reaps once a second until <paramref name="stop"/>; as another process than the first it is done at once.</summary>
    public static Task RunAsync(CancellationToken stop) => _reaps ? SecondTimer.RunAsync(static _ => Reap(), stop) : Task.CompletedTask;

    /// <summary>Reaps all orphans that have ended, up to the first child that is somebody's to reap.</summary>
    private static void Reap()
    {
        lock (_gate)
        {
            while (TryFindEnded(out int id) && !_ours.Contains(id))
            {
                int status;
                _ = LibcProcesses.waitpid(id, &status, LibcProcesses.WaitNoHang);
            }
        }
    }

    /// <summary>A child that has ended, which stays as it is (WNOWAIT).</summary>
    private static bool TryFindEnded(out int id)
    {
        const int AnyChild = 0;
        byte* found = stackalloc byte[LibcProcesses.SignalInfoBytes];
        new Span<byte>(found, LibcProcesses.SignalInfoBytes).Clear();
        const int Options = LibcProcesses.WaitNoHang | LibcProcesses.WaitExited | LibcProcesses.WaitLeave;
        id = LibcProcesses.waitid(AnyChild, 0, found, Options) == 0
            ? MemoryMarshal.Read<int>(new ReadOnlySpan<byte>(found + LibcProcesses.SignalInfoPid, sizeof(int)))
            : 0;
        return id > 0;
    }
}
