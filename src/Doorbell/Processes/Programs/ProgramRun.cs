using Doorbell.Lanes;
using Doorbell.Native;
using Doorbell.Processes.Spawning;

namespace Doorbell.Processes.Programs;

/// <summary>A program that answers one datagram.</summary>
internal sealed unsafe class ProgramRun : Timed
{
    private readonly ErrorPipe _errors;
    private readonly int _output;
    private readonly int _maxOutput;
    private byte[] _answer = [];
    private int _length;
    private bool _outputEnded;
    private bool _killed;
    private bool _givenUp;
    private Action<ProgramRun> _late = null!;
    private Action<ProgramRun> _changed = null!;

    private ProgramRun(ChildProcess child, PeerAddress peer, int asked, int output, int mostOutput, ErrorPipe errors)
    {
        Child = child;
        Peer = peer;
        Asked = asked;
        _output = output;
        _maxOutput = mostOutput;
        _errors = errors;
    }

    public ChildProcess Child { get; }

    /// <summary>Where its process group stands for the <see cref="ProgramWatcher"/>.</summary>
    public int Slot { get; set; }

    public PeerAddress Peer { get; }

    /// <summary>Bytes of the datagram.</summary>
    public int Asked { get; }

    /// <summary>How the process ended; null while it runs.</summary>
    public ChildProcess.Status? Status { get; private set; }

    /// <summary>What it has written, at most one byte more than is allowed; nothing if it was killed.</summary>
    public ReadOnlySpan<byte> Answer => _killed ? [] : _answer.AsSpan(0, _length);

    /// <summary>What it started may have its output still; once it was killed, that is waited for no longer.</summary>
    public bool IsOver => _givenUp || (Status is not null && (_outputEnded || _killed));

    /// <summary>Starts a program with a datagram as its standard input; 0, or errno.</summary>
    public static int TryStart(
        Spawner spawner,
        IReadOnlyList<string> environment,
        ReadOnlySpan<byte> datagram,
        PeerAddress peer,
        int mostOutput,
        Action<int, string> log,
        out ProgramRun? run)
    {
        run = null;
        int input = -1;
        ErrorPipe? errors = null;
        int errno = ErrorPipe.TryMake(out int output, out int outputEnd);
        if (errno != 0)
        {
            return errno;
        }

        int pid = 0;
        errno = ErrorPipe.TryMake(out errors);
        errno = errno == 0 ? TryHold(datagram, out input) : errno;
        errno = errno == 0
            ? spawner.TrySpawn([(input, 0), (outputEnd, 1), (errors!.WriteEnd, 2)], closeFrom: 3, environment, out pid)
            : errno;
        _ = Libc.close(input);
        _ = Libc.close(outputEnd);
        errors?.CloseWriteEnd();
        ChildProcess child = default;
        errno = errno == 0 ? ChildProcess.TryWatch(pid, out child) : errno;
        if (errno != 0)
        {
            _ = Libc.close(output);
            errors?.Close();
            return errno;
        }

        errors!.Begin(line => log(child.Id, line));
        run = new ProgramRun(child, peer, datagram.Length, output, mostOutput, errors);
        return 0;
    }

    /// <summary>Hears of its end, of its answer, and of what it complains of, from here on.</summary>
    /// <param name="loop">Hears them.</param>
    /// <param name="late">Called when the timer has come.</param>
    /// <param name="changed">Called when it may be over.</param>
    public void Watch(EventLoop loop, Action<ProgramRun> late, Action<ProgramRun> changed)
    {
        (_late, _changed) = (late, changed);
        loop.Watch(Child.Descriptor, Epoll.In, (_, _) => OnProcessEnd(loop));
        loop.Watch(_output, Epoll.In, (_, _) => OnOutput(loop));
        loop.Watch(_errors.Descriptor, Epoll.In, (_, _) => OnErrors(loop));
    }

    public override void OnTimer(TimeSpan now) => _late(this);

    /// <summary>Ends it and what it started; there is no answer. If that is said again, it is not waited for any more.</summary>
    public void Kill()
    {
        _givenUp = _killed;
        _killed = true;
        Child.SignalGroup(LibcProcesses.SignalKill);
    }

    public void CloseAll(EventLoop loop)
    {
        loop.Forget(_errors.Descriptor);
        loop.Forget(_output);
        loop.Forget(Child.Descriptor);
        _errors.Finish();
        _errors.Close();
        _ = Libc.close(_output);
        if (Status is not null || loop.IsAborting || loop.TryWatch(Child.Descriptor, Epoll.In, (_, _) => ReapLeft(loop)) != 0)
        {
            Child.CloseDescriptor();
        }
    }

    private void ReapLeft(EventLoop loop)
    {
        if (Child.Reap() is not null)
        {
            loop.Forget(Child.Descriptor);
            Child.CloseDescriptor();
        }
    }

    private void OnProcessEnd(EventLoop loop)
    {
        if (Child.Reap() is { } status)
        {
            Status = status;
            loop.Forget(Child.Descriptor);
            _changed(this);
        }
    }

    private void OnOutput(EventLoop loop)
    {
        if (!TryRead())
        {
            _outputEnded = true;
            loop.Forget(_output);
            _changed(this);
        }
    }

    private void OnErrors(EventLoop loop)
    {
        _errors.Drain();
        if (_errors.IsOver)
        {
            loop.Forget(_errors.Descriptor);
        }
    }

    /// <summary>A file in memory: unlike a pipe it takes any datagram whole, whatever the system's limits.</summary>
    private static int TryHold(ReadOnlySpan<byte> datagram, out int descriptor)
    {
        const uint CloseOnExec = 1;
        fixed (byte* name = "doorbell-datagram\0"u8)
        fixed (byte* bytes = datagram)
        {
            descriptor = Libc.memfd_create(name, CloseOnExec);
            bool held = descriptor >= 0
                && Libc.write(descriptor, bytes, datagram.Length) == datagram.Length
                && Libc.lseek(descriptor, 0, 0) == 0;
            return held ? 0 : LinuxErrno.Last;
        }
    }

    /// <summary>False at the end.</summary>
    private bool TryRead()
    {
        const int Bytes = 16 * 1024;
        byte* bytes = stackalloc byte[Bytes];
        nint count = Libc.read(_output, bytes, Bytes);
        if (count <= 0)
        {
            return count < 0 && LinuxErrno.Last is Libc.TryAgain or Libc.Interrupted;
        }

        int taken = Math.Min((int)count, _maxOutput + 1 - _length);
        if (_answer.Length < _length + taken)
        {
            Array.Resize(ref _answer, Math.Max(_length + taken, _answer.Length * 2));
        }

        new ReadOnlySpan<byte>(bytes, taken).CopyTo(_answer.AsSpan(_length));
        _length += taken;
        return true;
    }
}
