namespace Doorbell.Native;

/// <summary>
/// A descriptor that whoever started this process has passed to it, such as standard input, on Linux. Another program that shares the
/// open file description may have set O_NONBLOCK on it (open(2), fcntl(2)). So EAGAIN says that there is something to wait for, not an
/// error; and the flag stays as it is, since it is the other programs' too.
/// </summary>
internal static unsafe class InheritedDescriptor
{
    /// <summary>Reads what there is, or waits until there is something; 0 at the end.</summary>
    /// <exception cref="IOException">read(2) failed; its <see cref="Exception.HResult"/> is errno.</exception>
    public static int Read(int descriptor, Span<byte> buffer)
    {
        fixed (byte* to = buffer)
        {
            while (true)
            {
                int count = (int)Libc.read(descriptor, to, buffer.Length);
                if (count >= 0)
                {
                    return count;
                }

                WaitIfItMeansWait(descriptor, PollDescriptor.In);
            }
        }
    }

    /// <summary>Writes all of it, however long whoever reads it takes.</summary>
    /// <exception cref="IOException">write(2) failed; its <see cref="Exception.HResult"/> is errno.</exception>
    public static void Write(int descriptor, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* from = bytes)
        {
            int written = 0;
            while (written < bytes.Length)
            {
                int count = (int)Libc.write(descriptor, from + written, bytes.Length - written);
                if (count < 0)
                {
                    WaitIfItMeansWait(descriptor, PollDescriptor.Out);
                }
                else
                {
                    written += count;
                }
            }
        }
    }

    /// <summary>Waits until a read would not wait: for bytes, the end, or an error.</summary>
    public static void WaitForInput(int descriptor) => Poll(descriptor, PollDescriptor.In);

    private static void WaitIfItMeansWait(int descriptor, short events)
    {
        int errno = LinuxErrno.Last;
        if (errno == Libc.TryAgain)
        {
            Poll(descriptor, events);
        }
        else if (errno != Libc.Interrupted)
        {
            throw new IOException(Errno.OfLinux(errno).ToString(), errno);
        }
    }

    private static void Poll(int descriptor, short events)
    {
        const int Forever = -1;
        PollDescriptor polled = new() { Descriptor = descriptor, Events = events };
        while (Libc.poll(&polled, 1, Forever) < 0 && LinuxErrno.Last == Libc.Interrupted)
        {
        }
    }
}
