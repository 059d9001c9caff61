using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>What this process runs (execve(2)).</summary>
internal static unsafe class ProcessImage
{
    private const int BrokenPipe = 13;

    /// <summary>
    /// Has this process run another program, with a descriptor of ours as its standard input and output. What this process ignores or
    /// blocks for itself, SIGPIPE and SIGTTOU, the program hears as it would have.
    /// </summary>
    /// <param name="path">Of the program; not searched for.</param>
    /// <param name="arguments">Its arguments, the first its own name by custom.</param>
    /// <param name="environment">As <c>NAME=VALUE</c>.</param>
    /// <param name="descriptor">Its reads and writes wait from then on.</param>
    /// <returns>errno, since it does not return otherwise.</returns>
    public static int Replace(string path, IReadOnlyList<string> arguments, IReadOnlyList<byte[]> environment, int descriptor)
    {
        byte** words = List([.. arguments.Select(SystemText.ToBytes)]);
        byte** variables = List(environment);
        byte* file = Text(SystemText.ToBytes(path));

        // .NET's sockets don't wait in the kernel.
        int flags = Libc.fcntl(descriptor, Libc.GetFlags, 0);
        if (flags < 0
            || Libc.fcntl(descriptor, Libc.SetFlags, flags & ~Libc.NonBlocking) < 0
            || Libc.dup3(descriptor, 0, 0) < 0
            || Libc.dup3(descriptor, 1, 0) < 0)
        {
            return LinuxErrno.Last;
        }

        LibcProcesses.UnblockSignals();
        nint before = LibcProcesses.signal(BrokenPipe, LibcProcesses.SignalDefault);
        _ = LibcProcesses.execve(file, words, variables);
        int errno = LinuxErrno.Last;
        _ = LibcProcesses.signal(BrokenPipe, before);
        return errno;
    }

    /// <summary>Its memory is given back with all the rest of the process.</summary>
    private static byte** List(IReadOnlyList<byte[]> texts)
    {
        byte** list = (byte**)NativeMemory.AllocZeroed((nuint)(texts.Count + 1), (nuint)sizeof(byte*));
        for (int i = 0; i < texts.Count; i++)
        {
            list[i] = Text(texts[i]);
        }

        return list;
    }

    private static byte* Text(byte[] bytes)
    {
        byte* text = (byte*)NativeMemory.AllocZeroed((nuint)bytes.Length + 1);
        bytes.CopyTo(new Span<byte>(text, bytes.Length));
        return text;
    }
}
