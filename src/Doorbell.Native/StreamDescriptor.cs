namespace Doorbell.Native;

/// <summary>
/// A stream that is no socket of System.Net.Sockets: a terminal, a serial line, standard input and output, a vsock connection. Reads and
/// waits block, on a thread of the caller's; <see cref="Stop"/> ends them. Linux.
/// </summary>
/// <param name="input">What is read.</param>
/// <param name="output">What is written: another descriptor, or the same.</param>
/// <param name="isOwned">Whether both are closed with this. Others are shared with other programs, and O_NONBLOCK is not set there.</param>
internal sealed unsafe class StreamDescriptor(int input, int output, bool isOwned) : IDisposable
{
    private const int InputOutputError = 5;

    /// <summary>PIPE_BUF: so much a pipe takes at once when poll(2) says that it takes something (pipe(7)).</summary>
    private const int MaxSharedWrite = 4096;

    private readonly EventDescriptor _stopped = new();
    private bool _isDisposed;

    /// <summary>What is read.</summary>
    public int Input { get; } = input;

    /// <summary>Ends reads and waits, those to come too. Any thread.</summary>
    public void Stop() => _stopped.Raise();

    /// <summary>
    /// Reads what there is, or waits until there is something; 0 at the end, and when it is stopped. A terminal whose other side has closed
    /// answers EIO: that is an end.
    /// </summary>
    /// <exception cref="IOException">read(2) failed; its <see cref="Exception.HResult"/> is errno.</exception>
    public int Read(Span<byte> buffer)
    {
        while (Wait(Input, PollDescriptor.In) is not 0)
        {
            int count;
            fixed (byte* to = buffer)
            {
                count = (int)Libc.read(Input, to, buffer.Length);
            }

            int errno = count < 0 ? LinuxErrno.Last : 0;
            if (errno is 0 or InputOutputError)
            {
                return Math.Max(count, 0);
            }

            if (errno is not (Libc.TryAgain or Libc.Interrupted))
            {
                throw Failure(errno);
            }
        }

        return 0;
    }

    /// <summary>Waits until there is something to read, or to accept; false when it is stopped.</summary>
    public bool WaitForInput() => Wait(Input, PollDescriptor.In) != 0;

    /// <summary>Writes as much as is taken now, perhaps nothing.</summary>
    /// <exception cref="IOException">write(2) failed; its <see cref="Exception.HResult"/> is errno.</exception>
    public int TryWrite(ReadOnlySpan<byte> bytes)
    {
        if (!isOwned)
        {
            bytes = bytes[..Math.Min(bytes.Length, MaxSharedWrite)];
            PollDescriptor polled = new() { Descriptor = output, Events = PollDescriptor.Out };
            if (Libc.poll(&polled, 1, 0) == 0)
            {
                return 0;
            }
        }

        fixed (byte* from = bytes)
        {
            int count = (int)Libc.write(output, from, bytes.Length);
            int errno = count < 0 ? LinuxErrno.Last : 0;
            return errno switch
            {
                0 => count,
                Libc.TryAgain or Libc.Interrupted => 0,
                _ => throw Failure(errno),
            };
        }
    }

    /// <summary>Waits until a write would take something; false when it is stopped.</summary>
    /// <exception cref="IOException">The other side has closed: nothing will be taken.</exception>
    public bool WaitForOutput()
    {
        short returned = Wait(output, PollDescriptor.Out);
        if (returned == 0 || (returned & PollDescriptor.Out) != 0)
        {
            return returned != 0;
        }

        // A full pipe that nobody reads has no room, and says so by POLLERR (poll(2)); a terminal is hung up.
        throw Failure((returned & PollDescriptor.HangUp) != 0 ? InputOutputError : Libc.BrokenPipe);
    }

    /// <summary>A thread that still reads or waits must have ended.</summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        if (isOwned)
        {
            _ = Libc.close(Input);
            if (output != Input)
            {
                _ = Libc.close(output);
            }
        }

        _stopped.Dispose();
    }

    private static IOException Failure(int errno) => new(Errno.OfLinux(errno).ToString(), errno);

    /// <summary>What poll(2) says of the descriptor; 0 when it is stopped.</summary>
    private short Wait(int descriptor, short events)
    {
        const int Forever = -1;
        PollDescriptor* polled = stackalloc PollDescriptor[2];
        while (true)
        {
            polled[0] = new PollDescriptor { Descriptor = descriptor, Events = events };
            polled[1] = new PollDescriptor { Descriptor = _stopped.Descriptor, Events = PollDescriptor.In };
            int ready = Libc.poll(polled, 2, Forever);
            if (ready > 0)
            {
                return polled[1].Returned != 0 ? (short)0 : polled[0].Returned;
            }
        }
    }
}
