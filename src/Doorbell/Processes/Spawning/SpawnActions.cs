using System.Runtime.InteropServices;
using Doorbell.Native;

namespace Doorbell.Processes.Spawning;

/// <summary>
/// Which descriptors of ours a process gets as which of its own (posix_spawn_file_actions_init(3)). Good for any number of processes:
/// glibc asks for the limit of descriptors, a system call, each time one is written down.
/// </summary>
internal sealed unsafe class SpawnActions : IDisposable
{
    private void* _actions;

    private SpawnActions(void* actions) => _actions = actions;

    public void* Pointer => _actions;

    /// <summary>Makes them; 0, or errno.</summary>
    /// <param name="descriptors">What of ours the child gets as what of its own, in this order. Equal numbers keep theirs.</param>
    /// <param name="closeFrom">Everything from this descriptor on is closed in the child; 0 to leave it to close-on-exec.</param>
    /// <param name="actions">Null if that failed.</param>
    public static int TryMake(ReadOnlySpan<(int Ours, int Its)> descriptors, int closeFrom, out SpawnActions? actions)
    {
        void* memory = NativeMemory.AllocZeroed(LibcProcesses.SpawnFileActionsBytes);
        int error = LibcProcesses.posix_spawn_file_actions_init(memory);
        actions = new SpawnActions(memory);
        foreach ((int ours, int its) in descriptors)
        {
            error = error == 0 ? LibcProcesses.posix_spawn_file_actions_adddup2(memory, ours, its) : error;
        }

        if (closeFrom > 0 && error == 0)
        {
            error = LibcProcesses.posix_spawn_file_actions_addclosefrom_np(memory, closeFrom);
        }

        if (error != 0)
        {
            actions.Dispose();
            actions = null;
        }

        return error;
    }

    public void Dispose()
    {
        if (_actions != null)
        {
            _ = LibcProcesses.posix_spawn_file_actions_destroy(_actions);
            NativeMemory.Free(_actions);
            _actions = null;
        }
    }
}
