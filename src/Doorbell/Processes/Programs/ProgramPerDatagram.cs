using System.Net.Sockets;
using Doorbell.Lanes;
using Doorbell.Lanes.Datagrams;
using Doorbell.Native;
using Doorbell.Processes.Spawning;
using Doorbell.Serving;
using Doorbell.Sessions;
using Doorbell.Sockets;

namespace Doorbell.Processes.Programs;

/// <summary>A program for each datagram: it reads the datagram from standard input, and what it writes is the answer.</summary>
internal sealed unsafe class ProgramPerDatagram : IEventLoopUser, IDisposable
{
    private const int MaxAddress = 128;

    /// <summary>So many datagrams at once, then those processes that have ended are heard before the next.</summary>
    private const int ReceivesPerRound = 64;

    private static readonly TimeSpan _killAfter = TimeSpan.FromSeconds(1);

    private readonly DoorSocket _bound;
    private readonly ServerContext _context;
    private readonly ServiceProgram _program;
    private readonly Spawner _spawner;
    private readonly ProgramEnvironment _environment;
    private readonly EventLoop _loop;
    private readonly HashSet<ProgramRun> _runs = [];
    private readonly ProgramWatcher _watcher;

    /// <summary>Slots of the watcher that runs have had and have no more; the others are as many as there are runs.</summary>
    private readonly Stack<int> _freeSlots = new();
    private readonly LoopGuard? _loops;
    private readonly OverflowCount? _overflow;
    private readonly PeerAddress _local;
    private readonly byte[] _buffer;
    private readonly int _largest;
    private readonly Backoff _backoff = new();
    private TimeSpan _receiveAgain;

    /// <summary>Why no process could be made, as it was told last; 0 since one could.</summary>
    private int _refusal;
    private bool _hasInput = true;

    public ProgramPerDatagram(string file, DoorSocket bound, ServerContext context, ShutdownEvents shutdown)
    {
        _bound = bound;
        _context = context;
        _loop = new EventLoop(shutdown);
        _program = bound.Door.Service.Program!;
        _spawner = new Spawner(file, [_program.FileName, .. _program.Arguments], InheritedEnvironment.Read());
        _environment = new ProgramEnvironment(bound.Door.Endpoint, bound.Door.Endpoint.IsUnix ? null : bound.Socket.LocalEndPoint);
        _watcher = new ProgramWatcher(context.Log);
        int loopGuard = bound.Door.Service.DatagramLimits.LoopGuardAnswers;
        _loops = loopGuard == 0 ? null : new LoopGuard(loopGuard);
        _local = OpenedSocket.LocalOf(bound.Socket);
        _overflow = OverflowCount.Of(bound, context.Ledger, context.Log);
        _largest = bound.Door.Service.DatagramLimits.MaxDatagramBytes;
        _buffer = GC.AllocateUninitializedArray<byte>(_largest + 1, pinned: true);
        DatagramOffload.Refuse(bound);
    }

    /// <summary>Serves until the drain, then waits for the processes that run.</summary>
    public void Run()
    {
        _loop.Watch(_bound.Descriptor, Epoll.In | Epoll.Edge, (_, _) => _hasInput |= !_loop.IsAborting);
        _loop.Run(this);
        _overflow?.Ask(MonotonicClock.Now);
    }

    public void Dispose()
    {
        _watcher.Dispose();
        _spawner.Dispose();
        _loop.Dispose();
    }

    public TimeSpan OnRound(TimeSpan now)
    {
        ReceiveSome(now);
        if (_loop.IsDraining && !_hasInput && _runs.Count == 0)
        {
            _loop.Stop();
        }

        return _hasInput ? _receiveAgain : TimeSpan.MaxValue;
    }

    public void OnShutdown(TimeSpan now)
    {
        _hasInput = !_loop.IsAborting;
        if (_loop.IsAborting)
        {
            Array.ForEach([.. _runs], Kill);
        }
    }

    /// <summary>
    /// Ends a run that is late. A run that has ended by itself has no other event to come, if what it started is out of its group. One
    /// that can't be killed keeps its place for a second more.
    /// </summary>
    private void Kill(ProgramRun run)
    {
        run.Kill();
        if (run.IsOver)
        {
            Finish(run);
        }
        else
        {
            _loop.Timers.Ensure(run, MonotonicClock.Now + _killAfter);
        }
    }

    private void FinishIfOver(ProgramRun run)
    {
        if (run.IsOver)
        {
            Finish(run);
        }
    }

    private void ReceiveSome(TimeSpan now)
    {
        for (int i = 0; i < ReceivesPerRound && _hasInput && now >= _receiveAgain; i++)
        {
            // One process more than may be: the datagrams wait in the kernel, as far as its buffer goes.
            if (!TryAcquire())
            {
                _receiveAgain = now + TimeSpan.FromMilliseconds(10);
                return;
            }

            if (!TryReceive(now))
            {
                Release();
            }
        }
    }

    /// <summary>A lease and a place at the door.</summary>
    private bool TryAcquire()
    {
        if (!_context.Admission.TryAcquire())
        {
            return false;
        }

        if (_context.Admission.TryAcquireAt(_bound.Door))
        {
            return true;
        }

        _context.Admission.Release();
        return false;
    }

    private void Release()
    {
        _context.Admission.ReleaseAt(_bound.Door);
        _context.Admission.Release();
    }

    /// <summary>Receives one datagram and starts its process; false if there was none, or no process.</summary>
    private bool TryReceive(TimeSpan now)
    {
        byte* address = stackalloc byte[MaxAddress];
        int addressLength = MaxAddress;
        nint count;
        fixed (byte* bytes = _buffer)
        {
            count = SystemCalls.Backend.ReceiveFrom(
                _bound.Descriptor, bytes, _buffer.Length, Libc.MessageDontWait, address, &addressLength);
        }

        if (count < 0)
        {
            // An ICMP "port unreachable" for an answer sent earlier is not this socket's error (udp(7)).
            _hasInput = LinuxErrno.Last != Libc.TryAgain;
            _overflow?.Ask(now);
            return false;
        }

        if (count > _largest)
        {
            _context.Ledger.DatagramDropped(DatagramDrop.Truncated);
            return false;
        }

        PeerAddress peer = SocketAddressCodec.ReadLinux(new ReadOnlySpan<byte>(address, Math.Min(addressLength, MaxAddress)));
        if (!_context.Admits(_bound.Door, peer, datagrams: 1))
        {
            return false;
        }

        _context.Ledger.DatagramReceived((int)count, requests: 1);
        if (_loops is not null && LoopGuard.RefusalOf(new DatagramPath(peer, default), _local) is { } why)
        {
            _context.Ledger.DatagramDropped(why);
            return false;
        }

        return TryStart(_buffer.AsSpan(0, (int)count), peer, now);
    }

    private bool TryStart(ReadOnlySpan<byte> datagram, PeerAddress peer, TimeSpan now)
    {
        int errno = ProgramRun.TryStart(_spawner, _environment.For(peer), datagram, peer, _largest, LogLine, out ProgramRun? run);
        if (errno == 0)
        {
            run!.Slot = _freeSlots.TryPop(out int free) ? free : _runs.Count;
            _watcher.Set(run.Slot, run.Child.Id);
            _runs.Add(run);
            run.Watch(_loop, Kill, FinishIfOver);
            _loop.Timers.Ensure(run, now + _program.DatagramTimeout);
            _backoff.Reset();
            _refusal = 0;
            return true;
        }

        _context.Ledger.ProcessLost();
        bool isShortage = Spawner.IsShortage(errno);
        if (isShortage ? _backoff.MayLog() : errno != _refusal)
        {
            string failure = NetworkException.FromErrno("posix_spawn", $"a process for a datagram of {peer}", errno).Message;
            ServerLog.DatagramUnserved(_context.Log, failure);
        }

        _refusal = isShortage ? 0 : errno;
        _receiveAgain = isShortage ? now + _backoff.Next() : now;
        return false;

        void LogLine(int pid, string line)
        {
            string name = PrintableText.Escape(Path.GetFileName(_program.FileName));
            ServerLog.ProgramSays(_context.Log, _bound.Door.Endpoint, name, pid, peer, line);
        }
    }

    private void Finish(ProgramRun run)
    {
        _loop.Timers.Remove(run);
        _runs.Remove(run);
        _watcher.Clear(run.Slot);
        _freeSlots.Push(run.Slot);
        Release();
        run.CloseAll(_loop);
        switch (run.Status)
        {
            case null:
                _context.Ledger.ProcessLost();
                ServerLog.ProcessStays(_context.Log, _bound.Door.Endpoint, run.Child.Id, run.Peer);
                break;
            case { Signal: not 0 } killed:
                _context.Ledger.ProcessLost();
                ServerLog.ProcessDied(_context.Log, _bound.Door.Endpoint, run.Child.Id, run.Peer, killed.ToString());
                break;
            case { ExitCode: not 0 } failed:
                ServerLog.ProcessEnded(_context.Log, _bound.Door.Endpoint, run.Child.Id, run.Peer, failed.ToString());
                break;
        }

        if (!run.Answer.IsEmpty)
        {
            Send(run);
        }
    }

    private void Send(ProgramRun run)
    {
        DatagramLimits limits = _bound.Door.Service.DatagramLimits;
        if (run.Answer.Length > limits.MaxBytesTo(run.Peer))
        {
            _context.Ledger.DatagramDropped(DatagramDrop.AnswerTooLarge);
            return;
        }

        bool bounded = limits.MaxAmplification > 0 && !run.Peer.IsLoopback;
        if (bounded && run.Answer.Length > (long)run.Asked * limits.MaxAmplification)
        {
            _context.Ledger.DatagramDropped(DatagramDrop.Amplification);
            return;
        }

        _loops?.Turn(new DatagramPath(run.Peer, default), _local);
        if (_loops is not null && !_loops.MayAnswer(MonotonicClock.Now, out DatagramDrop why))
        {
            _context.Ledger.DatagramDropped(why);
            return;
        }

        try
        {
            DatagramCalls.Send(_bound, _bound.Socket.AddressFamily, run.Answer, run.Peer);
            _context.Ledger.DatagramSent(run.Answer.Length);
        }
        catch (Exception failure) when (failure is NetworkException or ArgumentException or SocketException)
        {
            _context.Ledger.DatagramDropped(DatagramDrop.SendFailed);
            ServerLog.DatagramLost(_context.Log, PrintableText.Escape(failure.Message));
        }
    }
}
