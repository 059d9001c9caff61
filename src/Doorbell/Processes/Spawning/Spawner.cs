using System.Runtime.InteropServices;
using System.Text;
using Doorbell.Native;
using Doorbell.Processes.Workers;

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

    /// <param name="path">Of the program; not searched for.</param>
    /// <param name="arguments">Its arguments, the first its own name by custom.</param>
    /// <param name="environment">As <c>NAME=VALUE</c>.</param>
    public Spawner(string path, IReadOnlyList<string> arguments, IEnumerable<string> environment)
    {
        _path = Keep(path);
        _arguments = (byte**)Keep((nuint)((arguments.Count + 1) * sizeof(byte*)));
        for (int i = 0; i < arguments.Count; i++)
        {
            _arguments[i] = Keep(arguments[i]);
        }

        _arguments[arguments.Count] = null;
        string[] variables = [.. environment];
        _environment = new byte*[variables.Length];
        for (int i = 0; i < variables.Length; i++)
        {
            _environment[i] = Keep(variables[i]);
        }

        _attributes = MakeAttributes();
    }

    /// <summary>This process's environment without what names its own sockets and peers.</summary>
    public static IEnumerable<string> InheritedEnvironment()
    {
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            string name = (string)variable.Key;
            bool ours = name is WorkerProcess.Variable or "LISTEN_FDS" or "LISTEN_PID" or "LISTEN_FDNAMES" or "NOTIFY_SOCKET" or "PROTO"
                || name.StartsWith("NCAT_", StringComparison.Ordinal)
                || name.StartsWith("TCPREMOTE", StringComparison.Ordinal)
                || name.StartsWith("TCPLOCAL", StringComparison.Ordinal);
            if (!ours)
            {
                yield return $"{name}={variable.Value}";
            }
        }
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
        int error = LibcProcesses.posix_spawn(&child, _path, actions.Pointer, _attributes, _arguments, variables);
        pid = child;
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
        int needed = 0;
        for (int i = 0; i < environment.Count; i++)
        {
            needed += Encoding.UTF8.GetMaxByteCount(environment[i].Length) + 1;
        }

        if (_extra.Length < needed)
        {
            _extra = GC.AllocateArray<byte>(needed, pinned: true);
        }

        int at = 0;
        for (int i = 0; i < environment.Count; i++)
        {
            variables[i] = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_extra, at);
            at += Encoding.UTF8.GetBytes(environment[i], _extra.AsSpan(at));
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

    private byte* Keep(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text + '\0');
        byte* kept = (byte*)Keep((nuint)bytes.Length);
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
