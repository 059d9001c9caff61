using System.Runtime.InteropServices;
using Doorbell.Native;

namespace Doorbell.Processes.Spawning;

/// <summary>
/// Starts one program over and over: posix_spawn(3), which on Linux shares the parent's memory until the program is executed and so
/// never copies it. Each child has its own process group, default signals, an empty signal mask, and the descriptors it is given.
/// One thread's own.
/// </summary>
internal sealed unsafe class Spawner : IDisposable
{
    private readonly byte* _path;
    private readonly byte** _arguments;
    private readonly byte*[] _environment;
    private readonly void* _attributes;
    private readonly List<nint> _memory = [];
    private byte[] _extra = GC.AllocateArray<byte>(4096, pinned: true);

    /// <param name="path">Of the program; not searched for. This and the arguments may hold any byte (<see cref="SystemText"/>).</param>
    /// <param name="arguments">Its arguments, the first its own name by custom.</param>
    /// <param name="environment">As <c>NAME=VALUE</c>.</param>
    public Spawner(string path, IReadOnlyList<string> arguments, IReadOnlyList<byte[]> environment)
    {
        _path = Keep(SystemText.ToBytes(path));
        _arguments = (byte**)Keep((nuint)((arguments.Count + 1) * sizeof(byte*)));
        for (int i = 0; i < arguments.Count; i++)
        {
            _arguments[i] = Keep(SystemText.ToBytes(arguments[i]));
        }

        _arguments[arguments.Count] = null;
        _environment = new byte*[environment.Count];
        for (int i = 0; i < environment.Count; i++)
        {
            _environment[i] = Keep(environment[i]);
        }

        _attributes = MakeAttributes();
    }

    /// <summary>Whether a start may succeed a moment later: the system was short of something, or the file is being written.</summary>
    public static bool IsShortage(int errno)
    {
        const int TooManyInSystem = 23;
        const int TooMany = 24;
        const int TextBusy = 26;
        const int NoSpace = 28;
        return errno is Libc.TryAgain or Libc.OutOfMemory or TooManyInSystem or TooMany or TextBusy or NoSpace or Libc.NoBuffers;
    }

    /// <summary>Starts the program; 0, or errno.</summary>
    /// <param name="descriptors">What of ours the child gets as what of its own, in this order. Equal numbers keep theirs.</param>
    /// <param name="closeFrom">Everything from this descriptor on is closed in the child; 0 to leave it to close-on-exec.</param>
    /// <param name="environment">What it has besides, as <c>NAME=VALUE</c>.</param>
    /// <param name="pid">The child's.</param>
    public int TrySpawn(ReadOnlySpan<(int Ours, int Its)> descriptors, int closeFrom, IReadOnlyList<string> environment, out int pid)
    {
        pid = 0;
        int error = SpawnActions.TryMake(descriptors, closeFrom, out SpawnActions? actions);
        using (actions)
        {
            return error == 0 ? TrySpawn(actions!, environment, out pid) : error;
        }
    }

    /// <summary>Starts the program; 0, or errno.</summary>
    public int TrySpawn(SpawnActions actions, IReadOnlyList<string> environment, out int pid)
    {
        byte** variables = stackalloc byte*[_environment.Length + environment.Count + 1];
        for (int i = 0; i < _environment.Length; i++)
        {
            variables[i] = _environment[i];
        }

        Append(environment, variables + _environment.Length);
        variables[_environment.Length + environment.Count] = null;
        int child = 0;
        Orphans.BeginStart();
        int error = LibcProcesses.posix_spawn(&child, _path, actions.Pointer, _attributes, _arguments, variables);
        pid = error == 0 ? child : 0;
        Orphans.EndStart(pid);
        return error;
    }

    public void Dispose()
    {
        foreach (nint block in _memory)
        {
            NativeMemory.Free((void*)block);
        }

        _memory.Clear();
    }

    private void Append(IReadOnlyList<string> environment, byte** variables)
    {
        byte[][] bytes = [.. environment.Select(SystemText.ToBytes)];
        int needed = bytes.Sum(static variable => variable.Length + 1);
        if (_extra.Length < needed)
        {
            _extra = GC.AllocateArray<byte>(needed, pinned: true);
        }

        int at = 0;
        foreach (byte[] variable in bytes)
        {
            *variables++ = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_extra, at);
            variable.CopyTo(_extra.AsSpan(at));
            at += variable.Length;
            _extra[at++] = 0;
        }
    }

    private void* MakeAttributes()
    {
        void* attributes = Keep(LibcProcesses.SpawnAttributesBytes);
        byte* signals = stackalloc byte[LibcProcesses.SignalSetBytes];
        short flags = LibcProcesses.SpawnSetProcessGroup | LibcProcesses.SpawnSetSignalDefault | LibcProcesses.SpawnSetSignalMask;
        _ = LibcProcesses.posix_spawnattr_init(attributes);
        _ = LibcProcesses.posix_spawnattr_setflags(attributes, flags);
        _ = LibcProcesses.posix_spawnattr_setpgroup(attributes, 0);

        // Every one: sigfillset(3) leaves out the two that glibc uses itself, and posix_spawn(3) would have them ignored.
        new Span<byte>(signals, LibcProcesses.SignalSetBytes).Fill(byte.MaxValue);
        _ = LibcProcesses.posix_spawnattr_setsigdefault(attributes, signals);
        _ = LibcProcesses.sigemptyset(signals);
        _ = LibcProcesses.posix_spawnattr_setsigmask(attributes, signals);
        return attributes;
    }

    private byte* Keep(byte[] bytes)
    {
        byte* kept = (byte*)Keep((nuint)bytes.Length + 1);
        bytes.CopyTo(new Span<byte>(kept, bytes.Length));
        return kept;
    }

    private void* Keep(nuint bytes)
    {
        void* block = NativeMemory.AllocZeroed(bytes);
        _memory.Add((nint)block);
        return block;
    }
}
