using System.Net.Sockets;
using Doorbell.Lanes;
using Doorbell.Lanes.Datagrams;
using Doorbell.Native;
using Doorbell.Processes.Spawning;
using Doorbell.Serving;
using Doorbell.Sockets;

namespace Doorbell.Processes.Programs;

/// <summary>A program for each datagram: it reads the datagram from standard input, and what it writes is the answer.</summary>
internal sealed unsafe class ProgramPerDatagram : IDisposable
{
    private const int StopToken = -1;
    private const int SocketToken = -2;
    private const int TokensPerRun = 4;
    private const int MaxAddress = 128;

    /// <summary>So many datagrams at once, then those processes that have ended are heard before the next.</summary>
    private const int ReceivesPerRound = 64;

    private readonly DoorSocket _bound;
    private readonly ServerContext _context;
    private readonly ShutdownEvents _shutdown;
    private readonly ServiceProgram _program;
    private readonly Spawner _spawner;
    private readonly ProgramEnvironment _environment;
    private readonly Epoll _epoll = new();
    private readonly TimerWheel _timers = new(MonotonicClock.Now);
    private readonly List<ProgramRun?> _runs = [];
    private readonly Stack<int> _free = new();
    private readonly byte[] _buffer;
    private readonly int _largest;
    private readonly Backoff _backoff = new();
    private TimeSpan _receiveAgain;
    private bool _hasInput = true;
    private bool _draining;

    public ProgramPerDatagram(string file, DoorSocket bound, ServerContext context, ShutdownEvents shutdown)
    {
        _bound = bound;
        _context = context;
        _shutdown = shutdown;
        _program = bound.Door.Service.Program!;
        _spawner = new Spawner(file, [_program.FileName, .. _program.Arguments], Spawner.InheritedEnvironment());
        _environment = new ProgramEnvironment(bound.Door.Endpoint, bound.Door.Endpoint.IsUnix ? null : bound.Socket.LocalEndPoint);
        _largest = bound.Door.Service.DatagramLimits.MaxDatagramBytes;
        _buffer = GC.AllocateUninitializedArray<byte>(_largest + 1, pinned: true);
        DatagramOffload.Refuse(bound);
    }

    /// <summary>Serves until the drain, then waits for the processes that run.</summary>
    public void Run()
    {
        _epoll.Watch(_bound.Descriptor, Epoll.In | Epoll.Edge, SocketToken);
        _epoll.Watch(_shutdown.Drain.Descriptor, Epoll.In, StopToken);
        while (!_draining || _hasInput || _runs.Count > _free.Count)
        {
            int count = _epoll.Wait(Timeout());
            TimeSpan now = MonotonicClock.Now;
            for (int i = 0; i < count; i++)
            {
                OnEvents(_epoll[i].Token);
            }

            while (_timers.TakeDue(now) is ProgramRun late)
            {
                Kill(late);
            }

            ReceiveSome(now);
        }
    }

    public void Dispose()
    {
        _bound.Release();
        _spawner.Dispose();
        _epoll.Dispose();
    }

    private int Timeout()
    {
        TimeSpan now = MonotonicClock.Now;
        int timers = _timers.MillisecondsToNext(now);
        if (!_hasInput)
        {
            return timers;
        }

        int wait = (int)Math.Clamp(Math.Ceiling((_receiveAgain - now).TotalMilliseconds), 0, 1000);
        return timers < 0 ? wait : Math.Min(timers, wait);
    }

    private void OnEvents(int token)
    {
        if (token == SocketToken)
        {
            _hasInput = true;
        }
        else if (token == StopToken)
        {
            OnShutdown();
        }
        else if (_runs[token / TokensPerRun] is { } run)
        {
            run.OnEvents(token % TokensPerRun, _epoll);
            if (run.IsOver)
            {
                Finish(run, token / TokensPerRun);
            }
        }
    }

    private void OnShutdown()
    {
        _draining = true;
        _epoll.Forget(_shutdown.Drain.Descriptor);
        if (!_shutdown.IsAborting)
        {
            _hasInput = true;
            _epoll.Watch(_shutdown.Abort.Descriptor, Epoll.In, StopToken);
            return;
        }

        _epoll.Forget(_shutdown.Abort.Descriptor);
        _hasInput = false;
        foreach (ProgramRun run in _runs.OfType<ProgramRun>().ToArray())
        {
            Kill(run);
        }
    }

    /// <summary>One that has ended itself has no other event to come, if what it started is out of its group.</summary>
    private void Kill(ProgramRun run)
    {
        run.Kill();
        if (run.IsOver)
        {
            Finish(run, _runs.IndexOf(run));
        }
    }

    private void ReceiveSome(TimeSpan now)
    {
        for (int i = 0; i < ReceivesPerRound && _hasInput && now >= _receiveAgain; i++)
        {
            // One process more than may be: the datagrams wait in the kernel, as far as its buffer goes.
            if (!_context.Admission.TryAcquire())
            {
                _receiveAgain = now + TimeSpan.FromMilliseconds(10);
                return;
            }

            if (!TryReceive(now))
            {
                _context.Admission.Release();
            }
        }
    }

    /// <summary>Receives one datagram and starts its process; false if there was none, or no process.</summary>
    private bool TryReceive(TimeSpan now)
    {
        byte* address = stackalloc byte[MaxAddress];
        int addressLength = MaxAddress;
        nint count;
        fixed (byte* bytes = _buffer)
        {
            count = Libc.recvfrom(_bound.Descriptor, bytes, _buffer.Length, Libc.MessageDontWait, address, &addressLength);
        }

        if (count < 0)
        {
            // An ICMP "port unreachable" for an answer sent earlier is not this socket's error (udp(7)).
            _hasInput = LinuxErrno.Last != Libc.TryAgain;
            return false;
        }

        if (count > _largest)
        {
            _context.Ledger.DatagramDropped(DatagramDrop.Truncated);
            return false;
        }

        PeerAddress peer = SocketAddressCodec.ReadLinux(new ReadOnlySpan<byte>(address, Math.Min(addressLength, MaxAddress)));
        _context.Ledger.DatagramReceived((int)count, requests: 1);
        return TryStart(_buffer.AsSpan(0, (int)count), peer, now);
    }

    private bool TryStart(ReadOnlySpan<byte> datagram, PeerAddress peer, TimeSpan now)
    {
        int slot = _free.TryPop(out int free) ? free : _runs.Count;
        int errno = ProgramRun.TryStart(_spawner, _environment.For(peer), datagram, peer, _largest, LogLine, out ProgramRun? run);
        if (errno == 0)
        {
            if (slot == _runs.Count)
            {
                _runs.Add(run);
            }

            _runs[slot] = run;
            run!.Watch(_epoll, slot * TokensPerRun);
            _timers.Ensure(run, now + _program.DatagramTimeout);
            _backoff.Reset();
            return true;
        }

        if (slot < _runs.Count)
        {
            _free.Push(slot);
        }

        _context.Ledger.ProcessLost();
        if (_backoff.MayLog())
        {
            string failure = NetworkException.FromErrno("posix_spawn", $"a process for a datagram of {peer}", errno).Message;
            ServerLog.DatagramUnserved(_context.Log, failure);
        }

        _receiveAgain = now + _backoff.Next();
        return false;

        void LogLine(int pid, string line)
        {
            string name = PrintableText.Escape(Path.GetFileName(_program.FileName));
            ServerLog.ProgramSays(_context.Log, _bound.Door.Endpoint, name, pid, peer, line);
        }
    }

    private void Finish(ProgramRun run, int slot)
    {
        _timers.Remove(run);
        _runs[slot] = null;
        _free.Push(slot);
        _context.Admission.Release();
        run.CloseAll();
        if (run.Status is { IsInOrder: false } status)
        {
            _context.Ledger.ProcessLost();
            ServerLog.ProcessDied(_context.Log, _bound.Door.Endpoint, run.Child.Id, run.Peer, status.ToString());
        }

        if (!run.Answer.IsEmpty)
        {
            Send(run);
        }
    }

    private void Send(ProgramRun run)
    {
        DatagramLimits limits = _bound.Door.Service.DatagramLimits;
        if (run.Answer.Length > limits.MaxDatagramBytes)
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
