using System.Net;
using Doorbell.Lanes;
using Doorbell.Native;
using Doorbell.Processes.Spawning;
using Doorbell.Serving;
using Doorbell.Sockets;
using Microsoft.Extensions.Logging;

namespace Doorbell.Processes.Programs;

/// <summary>
/// A program for each connection, with the socket as its standard input and output. We keep the socket open too: to see the
/// connection end, to hold to its limits, and to close it only when the peer has taken what the program wrote.
/// </summary>
internal sealed unsafe class ProgramPerConnection : ProcessLane
{
    private static readonly TimeSpan _killAfter = TimeSpan.FromSeconds(1);

    /// <summary>How often the processes that a program left behind are looked for.</summary>
    private static readonly TimeSpan _lookAgain = TimeSpan.FromMilliseconds(100);

    /// <summary>While draining, a program whose client has been silent for so long is told the end of its input.</summary>
    private static readonly TimeSpan _silence = TimeSpan.FromSeconds(1);

    private readonly ServiceProgram _program;
    private readonly Service _service;
    private readonly Spawner _spawner;
    private readonly string _name;
    private readonly StandardStreams _streams;
    private readonly ProcessGroups _groups = new();
    private readonly ProgramWatcher _watcher;
    private Endpoint? _door;
    private ProgramEnvironment? _environment;
    private TimeSpan _drainBegan;

    public ProgramPerConnection(string file, IReadOnlyList<DoorSocket> listeners, ServerContext context, ShutdownEvents shutdown)
        : base(listeners, context, shutdown)
    {
        _service = listeners[0].Door.Service;
        _program = _service.Program!;
        _name = PrintableText.Escape(Path.GetFileName(_program.FileName));
        _streams = new StandardStreams(Loop);
        _spawner = new Spawner(file, [_program.FileName, .. _program.Arguments], InheritedEnvironment.Read());
        _watcher = new ProgramWatcher(context.Log);
    }

    private StreamLimits Limits => _service.StreamLimits;

    protected override int TryStart(in AcceptedSocket accepted, int slot, out ProcessConnection? connection)
    {
        connection = null;
        int errno = _streams.TryTake(accepted.Descriptor, out ErrorPipe? errors, out SpawnActions? actions);
        if (errno != 0)
        {
            return errno;
        }

        errno = _spawner.TrySpawn(actions!, EnvironmentOf(accepted).For(accepted.Peer), out int pid);
        ChildProcess child = default;
        errno = errno == 0 ? ChildProcess.TryWatch(pid, out child) : errno;
        if (errno != 0)
        {
            _streams.Leave(accepted.Descriptor);
            return errno;
        }

        _watcher.Set(slot, pid);
        Open(accepted, child, slot, errors!, out connection);
        return 0;
    }

    private void OnSocketEvents(ProgramConnection program, uint events, TimeSpan now)
    {
        program.Moved = now;
        NoteEnd(program, events);
        if (program.At == ProgramConnection.Stage.Lingering)
        {
            Linger(program, now);
        }
        else if ((events & (Epoll.HangUp | Epoll.Error)) != 0)
        {
            // Both directions have ended, or it was reset: nobody is left to serve.
            program.EndAt(now + _program.Grace, CloseReason.Completed);
            Schedule(program, now);
        }
    }

    /// <summary>
    /// Which way the peer has ended its sending: the kernel counts a FIN among the bytes, and a reset not. Once both directions are
    /// closed it does not tell any more. A connection that closes at once, while the program serves it, was reset.
    /// </summary>
    private static void NoteEnd(ProgramConnection program, uint events)
    {
        if ((events & (Epoll.PeerHangUp | Epoll.HangUp | Epoll.Error)) != 0 && TcpInfo.Of(program.Accepted.Descriptor) is { } info)
        {
            program.PeerEnded |= info.HasPeersEnd;
            program.WasReset |= (events & Epoll.Error) != 0
                || (info.IsClosed && !program.PeerEnded && program.At == ProgramConnection.Stage.Running);
        }
    }

    protected override void ProcessEnded(ProcessConnection connection, ChildProcess.Status status, TimeSpan now)
    {
        ProgramConnection program = (ProgramConnection)connection;
        if (status.Signal != 0 && program.SignalAt == TimeSpan.MaxValue && program.Asked is null && !Loop.IsAborting)
        {
            Context.Ledger.ProcessLost();
            program.Reason = CloseReason.ProcessDied;
            ServerLog.ProcessDied(Context.Log, program.Accepted.Door, program.Child.Id, program.Accepted.Peer, status.ToString());
        }
        else if (Context.Log.IsEnabled(LogLevel.Information))
        {
            ServerLog.ProcessEnded(Context.Log, program.Accepted.Door, program.Child.Id, program.Accepted.Peer, status.ToString());
        }

        program.At = ProgramConnection.Stage.Survived;
        program.Ended = now;
        LookForSurvivors(program, now);
    }

    protected override void OnTimer(ProcessConnection connection, TimeSpan now)
    {
        ProgramConnection program = (ProgramConnection)connection;
        if (program.At == ProgramConnection.Stage.Lingering)
        {
            Linger(program, now);
            return;
        }

        if (now >= program.GiveUpAt)
        {
            GiveUp(program);
            return;
        }

        EnforceLimits(program, now);
        program.SignalIfDue(now, _killAfter);
        if (program.At == ProgramConnection.Stage.Survived)
        {
            LookForSurvivors(program, now);
        }
        else
        {
            Schedule(program, now);
        }
    }

    protected override void OnShutdown(ProcessConnection connection, TimeSpan now)
    {
        ProgramConnection program = (ProgramConnection)connection;
        _drainBegan = _drainBegan == TimeSpan.Zero ? now : _drainBegan;
        if (Loop.IsAborting && program.At != ProgramConnection.Stage.Lingering)
        {
            program.Kill(CloseReason.DrainDeadline);
            program.GiveUpAt = now + _killAfter;
            Timers.Ensure(program, program.GiveUpAt);
        }

        Schedule(program, now);
    }

    /// <summary>In order: the program is told the end of its input, as at a drain, and after its grace it is ended.</summary>
    protected override void CloseAsked(ProcessConnection connection, TimeSpan now)
    {
        ProgramConnection program = (ProgramConnection)connection;
        if (program.Asked == CloseMode.Abort)
        {
            program.Kill(CloseReason.ServerClosed);
            program.GiveUpAt = now + _killAfter;
        }
        else if (!program.InputEnded)
        {
            program.InputEnded = true;
            _ = SystemCalls.Backend.Shutdown(program.Accepted.Descriptor, Libc.ShutdownReceive);
            program.EndAt(now + _program.Grace, CloseReason.Completed);
        }

        Timers.Ensure(program, program.Asked == CloseMode.Abort ? program.GiveUpAt : program.SignalAt);
    }

    protected override void DisposeOwn()
    {
        _watcher.Dispose();
        _streams.Dispose();
        _spawner.Dispose();
    }

    /// <summary>The last connection's, if it came in by the same door; by a wildcard's each may have asked another address.</summary>
    private ProgramEnvironment EnvironmentOf(in AcceptedSocket accepted)
    {
        Endpoint door = accepted.Door;
        if (!ReferenceEquals(door, _door))
        {
            IPEndPoint? bound = IPAddress.TryParse(door.Host, out IPAddress? address) && !IsWildcard(address)
                ? new IPEndPoint(address, door.Port)
                : null;
            _door = bound is not null || door.IsUnix ? door : null;
            _environment = new ProgramEnvironment(door, bound ?? LocalAddressOf(accepted));
        }

        return _environment!;
    }

    private static bool IsWildcard(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static IPEndPoint? LocalAddressOf(in AcceptedSocket accepted)
    {
        const int MaxAddress = 128;
        byte* address = stackalloc byte[MaxAddress];
        int length = MaxAddress;
        return !accepted.Door.IsUnix && Libc.getsockname(accepted.Descriptor, address, &length) == 0
            ? SocketAddressCodec.ReadLinux(new ReadOnlySpan<byte>(address, length)).ToIPEndPoint()
            : null;
    }

    private void Open(in AcceptedSocket accepted, ChildProcess child, int slot, ErrorPipe errors, out ProcessConnection connection)
    {
        Endpoint door = accepted.Door;
        PeerAddress peer = accepted.Peer;
        errors.Begin(line => ServerLog.ProgramSays(Context.Log, door, _name, child.Id, peer, line));
        TimeSpan now = MonotonicClock.Now;
        ProgramConnection program = new(accepted, child, slot, OnTimer, OnAsked, now);
        connection = program;
        uint moves = door.IsUnix && Idle != TimeSpan.MaxValue ? Epoll.In | Epoll.Out : 0;
        Loop.Watch(accepted.Descriptor, Epoll.Edge | Epoll.PeerHangUp | moves, (events, time) => OnSocketEvents(program, events, time));
        Context.Ledger.ConnectionOpened();
        ServerLog.Connected(Context.Log, door, peer, connection.Id);
        TimeSpan first = Earlier(After(now, Limits.IdleTimeout), After(now, Limits.FirstByteTimeout));
        Timers.Ensure(connection, Earlier(first, After(now, Limits.MaxLifetime)));
    }

    /// <summary>
    /// The program has the bytes, so the kernel is asked when some moved last. Of unix sockets it does not know; there each move is an
    /// event of ours too.
    /// </summary>
    private void EnforceLimits(ProgramConnection program, TimeSpan now)
    {
        TcpInfo? info = TcpInfo.Of(program.Accepted.Descriptor);
        if (SinceMove(program, info, now) >= Idle)
        {
            program.EndAt(now, CloseReason.IdleTimeout);
        }

        if (info is { BytesReceived: 0 } && now >= FirstByteDue(program) && SinceMove(program, info, now) >= Limits.FirstByteTimeout)
        {
            program.EndAt(now, CloseReason.FirstByteTimeout);
        }

        if (now >= EndOfLife(program))
        {
            program.EndAt(now, CloseReason.LifetimeExceeded);
        }

        TimeSpan silent = info?.SinceReceived ?? now - _drainBegan;
        if (Loop.IsDraining && !program.InputEnded && silent >= _silence)
        {
            program.InputEnded = true;
            _ = SystemCalls.Backend.Shutdown(program.Accepted.Descriptor, Libc.ShutdownReceive);
        }
    }

    private TimeSpan Idle => Limits.IdleTimeout == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : Limits.IdleTimeout;

    private TimeSpan FirstByteDue(ProgramConnection program) => After(program.Opened, Limits.FirstByteTimeout);

    private static TimeSpan SinceMove(ProgramConnection program, TcpInfo? info, TimeSpan now) =>
        info is { } tcp ? Earlier(tcp.SinceSent, tcp.SinceReceived) : now - program.Moved;

    private TimeSpan EndOfLife(ProgramConnection program) => After(program.Opened, Limits.MaxLifetime);

    private static TimeSpan After(TimeSpan time, TimeSpan wait) =>
        wait == Timeout.InfiniteTimeSpan || wait > TimeSpan.MaxValue - time ? TimeSpan.MaxValue : time + wait;

    private static TimeSpan Earlier(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private void Schedule(ProgramConnection program, TimeSpan now)
    {
        TimeSpan due = program.IsEnding ? program.SignalAt : EndOfLife(program);
        if (!program.IsEnding && now < FirstByteDue(program))
        {
            due = Earlier(due, FirstByteDue(program));
        }

        if (!program.IsEnding && Idle != TimeSpan.MaxValue)
        {
            TimeSpan quiet = SinceMove(program, TcpInfo.Of(program.Accepted.Descriptor), now);
            due = Earlier(due, now + (Idle > quiet ? Idle - quiet : _lookAgain));
        }

        Timers.Ensure(program, Loop.IsDraining && !program.InputEnded ? Earlier(due, now + _lookAgain) : due);
    }

    /// <summary>What a program started may go on serving the connection: until it ends, or the connection does.</summary>
    private void LookForSurvivors(ProgramConnection program, TimeSpan now)
    {
        // At first what it started is given a moment to end: to read all processes costs more than to wait.
        if (program.Child.GroupIsAlive() && (now <= program.Ended || !_groups.HasOnlyEnded(program.Child.Id, program.Ended)))
        {
            Timers.Ensure(program, now + _lookAgain);
            return;
        }

        _streams.Leave(program.Accepted.Descriptor);
        program.At = ProgramConnection.Stage.Lingering;
        program.LingerUntil = now + Limits.CloseTimeout;
        Linger(program, now);
    }

    /// <summary>
    /// A program that has changed its user can't be killed (kill(2), EPERM): neither a limit of its connection nor the server's end waits
    /// for it. It has the socket still, so closing ours would not end the connection.
    /// </summary>
    private void GiveUp(ProgramConnection program)
    {
        if (program.At == ProgramConnection.Stage.Running)
        {
            LeaveProcess(program);
        }

        _ = SystemCalls.Backend.Shutdown(program.Accepted.Descriptor, Libc.ShutdownBoth);

        ServerLog.ProcessStays(Context.Log, program.Accepted.Door, program.Child.Id, program.Accepted.Peer);
        _streams.Leave(program.Accepted.Descriptor);
        Close(program, peerEnded: false);
    }

    /// <summary>
    /// Reads and drops what the peer still sends, until it has ended: closing with unread input would send a reset, which can destroy
    /// what the program wrote last (RFC 2525 section 2.17).
    /// </summary>
    private void Linger(ProgramConnection program, TimeSpan now)
    {
        const int Bytes = 16 * 1024;
        const int MaxReads = 16;
        byte* unread = stackalloc byte[Bytes];
        nint count = Bytes;
        for (int i = 0; i < MaxReads && count == Bytes; i++)
        {
            count = SystemCalls.Backend.Receive(program.Accepted.Descriptor, unread, Bytes, Libc.MessageDontWait);
        }

        bool more = count > 0 || (count < 0 && LinuxErrno.Last == Libc.TryAgain);
        if (more && now < program.LingerUntil && !Loop.IsAborting && program.Asked != CloseMode.Abort)
        {
            _ = SystemCalls.Backend.Shutdown(program.Accepted.Descriptor, Libc.ShutdownSend);
            Loop.Change(program.Accepted.Descriptor, Epoll.In | Epoll.PeerHangUp);
            Timers.Ensure(program, program.LingerUntil);
            return;
        }

        Close(program, peerEnded: count == 0);
    }

    private void LogClosed(ProgramConnection program, (long Received, long Sent)? moved)
    {
        (Endpoint door, PeerAddress peer) = (program.Accepted.Door, program.Accepted.Peer);
        double milliseconds = ServerLog.MillisecondsSince(program.Opened);
        if (moved is var (received, sent))
        {
            ServerLog.Disconnected(Context.Log, door, peer, program.Id, program.Reason, milliseconds, received, sent);
        }
        else
        {
            ServerLog.DisconnectedUncounted(Context.Log, door, peer, program.Id, program.Reason, milliseconds);
        }
    }

    private void Close(ProgramConnection program, bool peerEnded)
    {
        int descriptor = program.Accepted.Descriptor;
        (long Received, long Sent)? moved = null;
        if (TcpInfo.Of(descriptor) is { } info)
        {
            bool endCame = program.PeerEnded || info.HasPeersEnd || (peerEnded && info.IsClosed && !program.WasReset);
            moved = (info.BytesReceived - (endCame ? 1 : 0), info.BytesSent);
            Context.Ledger.BytesMoved(moved.Value.Received, moved.Value.Sent);
        }

        // Closing would not take it out: a process that left the group may have the socket still, and its events go on (epoll(7)).
        Loop.Forget(descriptor);
        _ = Libc.close(descriptor);
        Context.Ledger.ConnectionClosed(program.Reason);
        LogClosed(program, moved);
        _watcher.Clear(program.Slot);
        Release(program);
    }
}
