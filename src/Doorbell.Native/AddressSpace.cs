using System.Globalization;

namespace Doorbell.Native;

/// <summary>
/// The limits that a process may have of its addresses (RLIMIT_AS, <c>ulimit -v</c>) and of what it may write to (RLIMIT_DATA,
/// <c>ulimit -d</c>; setrlimit(2)), in the place of a container's limit. The collector reserves half of the addresses when it begins.
/// </summary>
internal static unsafe class AddressSpace
{
    /// <summary>Of the addresses, the collector's share: what can hold objects.</summary>
    private const int CollectorShare = 2;

    /// <summary>What a server that begins needs besides the collector's share, for threads, buffers and rings.</summary>
    private const long StartNeeds = 32 * 1024 * 1024;

    /// <summary>A thread has 8 MiB of addresses otherwise (RLIMIT_STACK), of which it uses little.</summary>
    private const nuint StackBytes = 3 * 512 * 1024;

    /// <summary>So many bytes may this process's objects have; <see cref="long.MaxValue"/> if these limits don't say.</summary>
    public static long MaxObjectBytes => !OperatingSystem.IsLinux() ? long.MaxValue
        : Math.Min((Limit(Libc.AddressSpaceLimit) ?? long.MaxValue) / CollectorShare, Limit(Libc.DataLimit) ?? long.MaxValue);

    /// <summary>
    /// Where addresses are limited: threads to come have smaller stacks, and share one heap of malloc(3), which would reserve 64 MiB for
    /// each. Otherwise a limit of 400 MiB is used up by a dozen threads that do nothing.
    /// </summary>
    public static void Spare()
    {
        const int MaxArenas = -8;
        if (Limit(Libc.AddressSpaceLimit) is null)
        {
            return;
        }

        _ = Libc.mallopt(MaxArenas, 1);

        // pthread_attr_t has 56 or 64 bytes.
        byte* attributes = stackalloc byte[128];
        if (Libc.pthread_attr_init(attributes) == 0)
        {
            _ = Libc.pthread_attr_setstacksize(attributes, StackBytes);
            _ = Libc.pthread_setattr_default_np(attributes);
            _ = Libc.pthread_attr_destroy(attributes);
        }
    }

    /// <summary>Says that the limit leaves too little to begin with; null if it leaves enough.</summary>
    public static string? Lack()
    {
        if (Limit(Libc.AddressSpaceLimit) is not { } limit)
        {
            return null;
        }

        // The first number is the whole size in pages (proc_pid_statm(5)).
        string pages = File.ReadAllText("/proc/self/statm").Split(' ')[0];
        long left = limit - (long.Parse(pages, CultureInfo.InvariantCulture) * Environment.SystemPageSize);
        return left >= StartNeeds ? null
            : $"start: of the {limit >> 20} MiB of addresses that this process may have (RLIMIT_AS), {Math.Max(0, left) >> 20} MiB are "
                + $"left and {StartNeeds >> 20} are needed: allow more (ulimit -v, prlimit --as), or limit the memory by a cgroup";
    }

    private static long? Limit(int kind)
    {
        nuint* limits = stackalloc nuint[2];
        return Libc.getrlimit(kind, limits) == 0 && limits[0] <= long.MaxValue ? (long)limits[0] : null;
    }
}
