using Doorbell.Lanes;
using Doorbell.Native;
using Doorbell.Processes.Spawning;
using Doorbell.Serving;

namespace Doorbell.Processes.Workers;

/// <summary>
/// Starts the processes that serve for this one: the program itself, anew, with the sockets to serve and what it takes to count, to
/// drain, and to notice that its parent is gone. One thread's own.
/// </summary>
internal sealed unsafe class WorkerLauncher : IDisposable
{
    private readonly ServerContext _context;
    private readonly ShutdownEvents _shutdown;
    private readonly Spawner _spawner;
    private readonly SharedLedgers _ledgers;
    private readonly int _life;
    private readonly int _lifeOfOurs;
    private readonly EventDescriptor _stopAccepting = new();
    private readonly EventDescriptor _drain = new();

    /// <param name="context">What to serve.</param>
    /// <param name="shutdown">When to stop.</param>
    /// <param name="slots">Most processes at once.</param>
    /// <param name="command">What they run; null for this program, as it was called.</param>
    public WorkerLauncher(ServerContext context, ShutdownEvents shutdown, int slots, IReadOnlyList<string>? command)
    {
        _context = context;
        _shutdown = shutdown;
        command ??= ["/proc/self/exe", .. OwnArguments()];
        _spawner = new Spawner(command[0], [.. command.Skip(1)], InheritedEnvironment.Read());
        _ledgers = SharedLedgers.Make(slots, context.Options.Counters);
        int* ends = stackalloc int[2];
        if (Libc.pipe2(ends, Libc.CloseOnExec) != 0)
        {
            throw NetworkException.FromErrno("pipe2", "the server's processes", LinuxErrno.Last);
        }

        (_life, _lifeOfOurs) = (ends[0], ends[1]);
    }

    /// <summary>The ledger of a slot.</summary>
    public Ledger LedgerOf(int slot) => _ledgers[slot];

    /// <summary>The process in that slot is gone, and its connection with it.</summary>
    public void ForgetConnectionOf(int slot) => new SharedCounts(_ledgers, slot, _ledgers.Slots).ReleaseAll();

    /// <summary>Tells all processes, and those yet to start, that the server accepts no more.</summary>
    public void StopAccepting() => _stopAccepting.Raise();

    /// <summary>Tells all processes, and those yet to start, that the server drains.</summary>
    public void Drain() => _drain.Raise();

    /// <summary>Starts a process; 0, or errno.</summary>
    public int TryStart(int slot, IReadOnlyList<(int Descriptor, int Door)> sockets, bool isConnection, out ChildProcess child)
    {
        WorkerProcess worker = new(
            WorkerProcess.NameOf(_context.Options),
            slot,
            _ledgers.Slots,
            _ledgers.Descriptor,
            _stopAccepting.Descriptor,
            _drain.Descriptor,
            _shutdown.Abort.Descriptor,
            _life,
            sockets,
            isConnection);
        Span<(int Ours, int Its)> descriptors = stackalloc (int, int)[5 + sockets.Count];
        int[] shared =
        [
            _ledgers.Descriptor, _stopAccepting.Descriptor, _drain.Descriptor, _shutdown.Abort.Descriptor, _life,
            .. sockets.Select(static socket => socket.Descriptor),
        ];
        for (int i = 0; i < shared.Length; i++)
        {
            // The same number: then it is open in the child, which close-on-exec would prevent, and no other is in its slot.
            descriptors[i] = (shared[i], shared[i]);
        }

        child = default;
        int errno = _spawner.TrySpawn(descriptors, closeFrom: 0, [worker.ToString()], out int pid);
        return errno == 0 ? ChildProcess.TryWatch(pid, out child) : errno;
    }

    public void Dispose()
    {
        _ = Libc.close(_lifeOfOurs);
        _ = Libc.close(_life);
        _stopAccepting.Dispose();
        _drain.Dispose();
        _spawner.Dispose();
        _ledgers.Dispose();
    }

    /// <summary>As the program was called, the runtime's own arguments included.</summary>
    private static string[] OwnArguments()
    {
        // Each ends with a NUL; the last may be empty.
        byte[] all = File.ReadAllBytes("/proc/self/cmdline");
        return SystemText.FromBytes(all).Split('\0')[..^1];
    }
}
