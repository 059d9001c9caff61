namespace Doorbell;

/// <summary>
/// How large a lane's io_uring is. So many receive buffers can be filled between two turns, and a connection that finds none tries again.
/// The small ones are for receives that stay armed, which may bring 32 of them (MULTISHOT_MAX_RETRY in io_uring/net.c) before a session
/// can say that it wants no more; whoever fills one is received from into a large one, once each time.
/// </summary>
/// <param name="Submissions">Operations that wait to be submitted; a power of 2.</param>
/// <param name="Completions">Those that wait to be heeded; beyond them the kernel keeps them.</param>
/// <param name="SmallBuffers">A power of 2.</param>
/// <param name="SmallBytes">Of each.</param>
/// <param name="LargeBuffers">A power of 2.</param>
/// <param name="LargeBytes">Of each.</param>
internal readonly record struct RingSizes(
    uint Submissions, uint Completions, int SmallBuffers, int SmallBytes, int LargeBuffers, int LargeBytes)
{
    public static RingSizes Default => new(
        Submissions: 1024, Completions: 8192, SmallBuffers: 512, SmallBytes: 4 * 1024, LargeBuffers: 16, LargeBytes: 256 * 1024);
}
