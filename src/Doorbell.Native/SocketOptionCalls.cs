using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>
/// setsockopt(2) and getsockopt(2) on Linux. Socket's own calls lose errno: they name EPERM and EACCES alike, and ENOENT not at all.
/// </summary>
internal static partial class SocketOptionCalls
{
    /// <summary>0, or errno.</summary>
    public static int Set(int descriptor, int level, int number, ReadOnlySpan<byte> value) =>
        setsockopt(descriptor, level, number, value, value.Length) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>0 and how many bytes the kernel gave, or errno.</summary>
    public static int Get(int descriptor, int level, int number, Span<byte> value, out int length)
    {
        length = value.Length;
        return getsockopt(descriptor, level, number, value, ref length) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    /// <summary>Whether a network interface has this index (if_indextoname(3)).</summary>
    public static unsafe bool IsInterface(int index)
    {
        const int NameBytes = 16;
        byte* name = stackalloc byte[NameBytes];
        return if_indextoname((uint)index, name) != null;
    }

    /// <summary>The indices of all network interfaces (if_nameindex(3)).</summary>
    public static unsafe int[] Interfaces()
    {
        InterfaceName* all = if_nameindex();
        if (all is null)
        {
            return [];
        }

        List<int> indices = [];
        for (InterfaceName* each = all; each->Index != 0; each++)
        {
            indices.Add((int)each->Index);
        }

        if_freenameindex(all);
        return [.. indices];
    }

    [LibraryImport("libc")]
    private static unsafe partial InterfaceName* if_nameindex();

    [LibraryImport("libc")]
    private static unsafe partial void if_freenameindex(InterfaceName* all);

    [LibraryImport("libc")]
    private static unsafe partial byte* if_indextoname(uint index, byte* name);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int setsockopt(int socket, int level, int name, ReadOnlySpan<byte> value, int length);

    [LibraryImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int getsockopt(int socket, int level, int name, Span<byte> value, ref int length);

    /// <summary>struct if_nameindex (net/if.h).</summary>
    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct InterfaceName
    {
        public uint Index;
        public byte* Name;
    }
}
