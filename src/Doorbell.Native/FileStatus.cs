using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Doorbell.Native;

/// <summary>What is at a path, as statx(2) tells it.</summary>
/// <param name="IsRegular">A file of bytes: no folder, no FIFO, no device.</param>
/// <param name="IsFolder">A folder.</param>
/// <param name="Names">How many names it has (hard links); 1 off Linux.</param>
/// <param name="Length">Its bytes.</param>
internal readonly unsafe partial record struct FileStatus(bool IsRegular, bool IsFolder, int Names, long Length)
{
    private const int AtEmptyPath = 0x1000;

    /// <summary>Follows links. Null if nothing is there, or nothing is told.</summary>
    /// <param name="path">As <see cref="SystemText"/> has it.</param>
    public static FileStatus? Of(string path)
    {
        if (OperatingSystem.IsLinux())
        {
            return Of(Libc.AtCurrentDirectory, path, flags: 0);
        }

        FileInfo file = new(path);
        return file.Exists ? new(IsRegular: true, IsFolder: false, Names: 1, file.Length)
            : Directory.Exists(path) ? new(IsRegular: false, IsFolder: true, Names: 1, Length: 0)
            : null;
    }

    /// <summary>Of what is open. Null if nothing is told.</summary>
    public static FileStatus? Of(SafeFileHandle file) => OperatingSystem.IsLinux()
        ? Of((int)file.DangerousGetHandle(), "", AtEmptyPath)
        : new(IsRegular: true, IsFolder: false, Names: 1, RandomAccess.GetLength(file));

    private static FileStatus? Of(int folder, string path, int flags)
    {
        // STATX_TYPE, STATX_NLINK and STATX_SIZE, and where struct statx has them.
        const uint Wanted = 0x1 | 0x4 | 0x200;
        const int NamesAt = 16;
        const int ModeAt = 28;
        const int LengthAt = 40;
        const int Kinds = 0xf000;
        const int Regular = 0x8000;
        const int Folder = 0x4000;
        byte* told = stackalloc byte[256];
        fixed (byte* bytes = SystemText.ToBytes(path + '\0'))
        {
            if (statx(folder, bytes, flags, Wanted, told) != 0)
            {
                return null;
            }
        }

        int kind = *(ushort*)(told + ModeAt) & Kinds;
        return new(kind == Regular, kind == Folder, *(int*)(told + NamesAt), *(long*)(told + LengthAt));
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int statx(int folder, byte* path, int flags, uint mask, byte* told);
}
