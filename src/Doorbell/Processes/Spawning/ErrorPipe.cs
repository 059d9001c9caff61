using Doorbell.Native;

namespace Doorbell.Processes.Spawning;

/// <summary>
/// The standard error of one process after another: their lines go to our log, each with a prefix, escaped, and none longer than 1 KiB.
/// A process that has left its group and writes on after its connection's end is logged under whoever has the pipe by then.
/// </summary>
internal sealed unsafe class ErrorPipe
{
    private const int MaxLine = 1024;

    /// <summary>So much in one turn: a process that does nothing but complain delays the others' connections no further.</summary>
    private const int BytesPerTurn = 4096;

    /// <summary>What a pipe holds, in turns (pipe(7)).</summary>
    private const int MaxTurns = 64 * 1024 / BytesPerTurn;

    private readonly byte[] _line = new byte[MaxLine];
    private Action<string> _log = static _ => { };
    private int _length;

    private ErrorPipe(int read, int write)
    {
        Descriptor = read;
        WriteEnd = write;
    }

    /// <summary>Our end.</summary>
    public int Descriptor { get; }

    /// <summary>The process's end.</summary>
    public int WriteEnd { get; private set; }

    /// <summary>All who could write are gone, we among them.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Makes one; 0, or errno.</summary>
    public static int TryMake(out ErrorPipe? pipe)
    {
        int errno = TryMake(out int read, out int write);
        pipe = errno == 0 ? new ErrorPipe(read, write) : null;
        return errno;
    }

    /// <summary>Makes a pipe; 0, or errno.</summary>
    public static int TryMake(out int read, out int write)
    {
        int* ends = stackalloc int[2] { -1, -1 };
        int answer = Libc.pipe2(ends, Libc.CloseOnExec);
        (read, write) = (ends[0], ends[1]);

        // Our end alone: a program expects its standard error to block.
        return answer == 0 && Libc.fcntl(read, Libc.SetFlags, Libc.NonBlocking) == 0 ? 0 : LinuxErrno.Last;
    }

    /// <summary>A process has it as its standard error from now on: whose lines they are, the log says.</summary>
    public void Begin(Action<string> log) => _log = log;

    /// <summary>Logs what has come, so much of it as fits a turn.</summary>
    public void Drain() => _ = TryDrain();

    /// <summary>Logs all that has come, finished or not: what a process writes last and its end come in any order.</summary>
    public void Finish()
    {
        for (int turn = 0; turn < MaxTurns && TryDrain(); turn++)
        {
        }

        if (_length > 0)
        {
            LogLine();
        }
    }

    /// <summary>Once we have closed our copy, the pipe is over when the last process has.</summary>
    public void CloseWriteEnd()
    {
        _ = Libc.close(WriteEnd);
        WriteEnd = -1;
    }

    public void Close()
    {
        _ = Libc.close(Descriptor);
        if (WriteEnd >= 0)
        {
            CloseWriteEnd();
        }
    }

    /// <summary>False if nothing has come.</summary>
    private bool TryDrain()
    {
        byte* bytes = stackalloc byte[BytesPerTurn];
        nint count = Libc.read(Descriptor, bytes, BytesPerTurn);
        if (count <= 0)
        {
            IsOver = count == 0 || LinuxErrno.Last is not (Libc.TryAgain or Libc.Interrupted);
            return false;
        }

        foreach (byte b in new ReadOnlySpan<byte>(bytes, (int)count))
        {
            if (b == '\n' || _length == MaxLine)
            {
                LogLine();
            }

            if (b != '\n')
            {
                _line[_length++] = b;
            }
        }

        return true;
    }

    private void LogLine()
    {
        _log(PrintableText.Escape(_line.AsSpan(0, _length), MaxLine));
        _length = 0;
    }
}
