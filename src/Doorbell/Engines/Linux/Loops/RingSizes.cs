namespace Doorbell;

/// <summary>How large a lane's io_uring is.</summary>
/// <param name="Submissions">Operations that wait to be submitted; a power of 2.</param>
/// <param name="Completions">Those that wait to be heeded; beyond them the kernel keeps them.</param>
/// <param name="Buffers">Receive buffers: so many can be filled between two turns; a connection that finds none tries again.</param>
/// <param name="BufferBytes">The size of each.</param>
internal readonly record struct RingSizes(uint Submissions, uint Completions, int Buffers, int BufferBytes)
{
    public static RingSizes Default => new(1024, 8192, 256, 16 * 1024);
}
