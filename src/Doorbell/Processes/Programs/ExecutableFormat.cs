using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Doorbell.Native;

namespace Doorbell.Processes.Programs;

/// <summary>
/// Whether execve(2) can execute a file, as far as its first bytes tell: a script's interpreter, an ELF file's machine and loader. A
/// file that is neither needs a format of its own (binfmt_misc), or nobody can execute it.
/// </summary>
internal static unsafe class ExecutableFormat
{
    /// <summary>A script's interpreter may be a script; the kernel follows five (BINPRM_MAX_RECURSION, fs/exec.c).</summary>
    private const int MaxInterpreters = 5;

    private const int HeaderBytes = 4096;
    private const string NoFormat = "ENOEXEC (Exec format error)";

    /// <summary>Why it can't be executed, and what to do; null if nothing speaks against it.</summary>
    public static (string What, string Advice)? Refuses(string path) => Refuses(path, MaxInterpreters);

    private static (string What, string Advice)? Refuses(string path, int depth)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        int length = Read(path, header);
        if (length < 0)
        {
            // It may be executed and not read.
            return null;
        }

        header = header[..length];
        return header.StartsWith("#!"u8) ? RefusesScript(path, header[2..], depth)
            : header.StartsWith("\x7f\x45LF"u8) ? RefusesElf(header)
            : HasFormatsOfOthers() ? null
            : (NoFormat, "begin a script with #! and its interpreter, as in #!/bin/sh, or run it by ServiceProgram.Shell");
    }

    private static (string What, string Advice)? RefusesScript(string path, ReadOnlySpan<byte> line, int depth)
    {
        int end = line.IndexOf((byte)'\n');
        line = (end < 0 ? line : line[..end]).TrimStart(" \t"u8);
        int blank = line.IndexOfAny(" \t\0"u8);
        string interpreter = SystemText.FromBytes(blank < 0 ? line : line[..blank]);
        string shown = PrintableText.Escape(interpreter);
        if (interpreter.Length == 0)
        {
            return (NoFormat, "name the interpreter behind its #!, as in #!/bin/sh");
        }

        if (depth == 0)
        {
            return ("ELOOP (Too many levels of symbolic links)", "name an interpreter behind its #! that is no script");
        }

        if (!PathAccess.Exists(interpreter))
        {
            string lineEnds = interpreter.EndsWith('\r') ? "its lines end in CR LF: let them end in LF" : "look at its first line";
            return ($"ENOENT (No such file or directory): its interpreter {shown} is missing", lineEnds);
        }

        return PathAccess.IsExecutable(interpreter)
            ? Refuses(interpreter, depth - 1)
            : ($"EACCES (Permission denied): its interpreter {shown}", "look at its first line");
    }

    private static (string What, string Advice)? RefusesElf(ReadOnlySpan<byte> header)
    {
        const int MachineAt = 18;
        const int Class64 = 2;
        const int Needed = 64;
        if (header.Length < Needed)
        {
            return HasFormatsOfOthers() ? null : (NoFormat, "it is cut short: copy it again");
        }

        ushort machine = BinaryPrimitives.ReadUInt16LittleEndian(header[MachineAt..]);
        bool isOurs = RuntimeInformation.ProcessArchitecture switch
        {
            // In e_machine's numbers (elf.h): x86-64 runs i386 too, and 64-bit ARM 32-bit ARM.
            Architecture.X64 => machine is 62 or 3,
            Architecture.Arm64 => machine is 183 or 40,
            _ => true,
        };
        if (!isOurs && !HasFormatsOfOthers())
        {
            return (NoFormat, "it is built for another kind of processor: build it for this one");
        }

        return isOurs && header[4] == Class64 && LoaderOf(header) is { } loader && !PathAccess.Exists(loader)
            ? ($"ENOENT (No such file or directory): its loader {PrintableText.Escape(loader)} is missing",
                "install the C library that it was linked with, or link it statically")
            : null;
    }

    /// <summary>PT_INTERP's (elf(5)); null if it has none, or not among its first bytes.</summary>
    private static string? LoaderOf(ReadOnlySpan<byte> header)
    {
        const int LoaderType = 3;
        const int EntryBytes = 56;
        ulong at = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(header[56..]);
        for (int i = 0; i < count && at + EntryBytes <= (ulong)header.Length; i++, at += EntryBytes)
        {
            ReadOnlySpan<byte> entry = header.Slice((int)at, EntryBytes);
            ulong start = BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]);
            ulong length = BinaryPrimitives.ReadUInt64LittleEndian(entry[32..]);
            if (BinaryPrimitives.ReadUInt32LittleEndian(entry) == LoaderType)
            {
                return length > 1 && start < (ulong)header.Length && length <= (ulong)header.Length - start
                    ? SystemText.FromBytes(header.Slice((int)start, (int)length - 1))
                    : null;
            }
        }

        return null;
    }

    /// <summary>Whether somebody has told the kernel of further formats (binfmt_misc): which, it finds out by itself.</summary>
    private static bool HasFormatsOfOthers()
    {
        const string Formats = "/proc/sys/fs/binfmt_misc";
        return Directory.Exists(Formats)
            && Directory.EnumerateFiles(Formats).Any(static file => Path.GetFileName(file) is not ("register" or "status"));
    }

    /// <summary>How many bytes were read; -1 if it can't be read.</summary>
    private static int Read(string path, Span<byte> bytes)
    {
        // Opening a FIFO must not wait.
        const int ReadOnly = 0;
        int descriptor;
        fixed (byte* name = SystemText.ToBytes($"{path}\0"))
        {
            descriptor = Libc.open(name, ReadOnly | Libc.CloseOnExec | Libc.NonBlocking, 0);
        }

        if (descriptor < 0)
        {
            return -1;
        }

        fixed (byte* buffer = bytes)
        {
            int count = (int)Libc.read(descriptor, buffer, bytes.Length);
            _ = Libc.close(descriptor);
            return count;
        }
    }
}
