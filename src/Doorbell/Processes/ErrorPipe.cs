namespace Doorbell;

/// <summary>A process's standard error: its lines go to our log, each with a prefix, escaped, and none longer than 1 KiB.</summary>
internal sealed unsafe class ErrorPipe(int descriptor, Action<string> log)
{
    private const int LongestLine = 1024;

    /// <summary>So much in one turn: a process that does nothing but complain delays the others' connections no further.</summary>
    private const int BytesPerTurn = 4096;

    private readonly byte[] _line = new byte[LongestLine];
    private int _length;

    public int Descriptor => descriptor;

    /// <summary>All who could write are gone.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Makes a pipe; 0, or errno.</summary>
    public static int TryMake(out int read, out int write)
    {
        int* ends = stackalloc int[2] { -1, -1 };
        int answer = Libc.pipe2(ends, Libc.CloseOnExec);
        (read, write) = (ends[0], ends[1]);

        // Our end alone: a program expects its standard error to block.
        return answer == 0 && Libc.fcntl(read, Libc.SetFlags, Libc.NonBlocking) == 0 ? 0 : LinuxErrno.Last;
    }

    /// <summary>Logs what has come.</summary>
    public void Drain()
    {
        byte* bytes = stackalloc byte[BytesPerTurn];
        nint count = Libc.read(descriptor, bytes, BytesPerTurn);
        if (count <= 0)
        {
            IsOver = count == 0 || LinuxErrno.Last is not (Libc.TryAgain or Libc.Interrupted);
            return;
        }

        foreach (byte b in new ReadOnlySpan<byte>(bytes, (int)count))
        {
            if (b == '\n' || _length == LongestLine)
            {
                LogLine();
            }

            if (b != '\n')
            {
                _line[_length++] = b;
            }
        }
    }

    /// <summary>Logs the last line, finished or not.</summary>
    public void Close()
    {
        if (!IsOver)
        {
            // What a process writes last and its end come in any order.
            Drain();
        }

        if (_length > 0)
        {
            LogLine();
        }

        _ = Libc.close(descriptor);
    }

    private void LogLine()
    {
        log(PeerText.Escape(_line.AsSpan(0, _length), LongestLine));
        _length = 0;
    }
}
