namespace Doorbell.Lanes.Loops;

/// <summary>
/// How large a lane's io_uring is. So many receive buffers can be filled between two rounds, and a connection that finds none tries again.
/// They are for receives that stay armed, which may bring 32 of them (MULTISHOT_MAX_RETRY in io_uring/net.c) before a session
/// can say that it wants no more; from a peer that fills one the lane receives by calls.
/// </summary>
/// <param name="Submissions">Operations that wait to be submitted; a power of 2.</param>
/// <param name="Completions">Those that wait to be processed; beyond them the kernel keeps them.</param>
/// <param name="Buffers">A power of 2.</param>
/// <param name="BufferBytes">Of each.</param>
internal readonly record struct RingSizes(uint Submissions, uint Completions, int Buffers, int BufferBytes)
{
    public static RingSizes Default => new(Submissions: 1024, Completions: 8192, Buffers: 512, BufferBytes: 4 * 1024);
}
