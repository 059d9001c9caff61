namespace Doorbell.Native;

/// <summary>The descriptors 0, 1 and 2, which a program is started with, or, if whoever starts it has closed them, is not.</summary>
internal static unsafe class StandardDescriptors
{
    /// <summary>
    /// Takes those that are closed, before anything else is given their numbers: the runtime's own pipe for signals may be, and what the
    /// command then prints is read as signals. A write to 1 or 2 and a read from 0 fail as they did (EBADF), since each is open for
    /// the other direction alone. They close on exec, as what is closed has no place in a program that is started.
    /// </summary>
    public static void TakeClosed()
    {
        const int GetDescriptorFlags = 1;
        const int ReadOnly = 0;
        const int WriteOnly = 1;
        for (int descriptor = 0; descriptor <= 2; descriptor++)
        {
            if (Libc.fcntl(descriptor, GetDescriptorFlags, 0) < 0)
            {
                // open(2) gives the lowest number that is free: this one.
                fixed (byte* nothing = "/dev/null\0"u8)
                {
                    _ = Libc.open(nothing, (descriptor == 0 ? WriteOnly : ReadOnly) | Libc.CloseOnExec, 0);
                }
            }
        }
    }
}
