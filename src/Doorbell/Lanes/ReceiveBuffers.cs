namespace Doorbell.Lanes;

/// <summary>
/// Buffers that lanes receive into, shared by all threads: as many as ever received at once. (ArrayPool keeps one for each thread,
/// and there may be thousands that sleep.)
/// </summary>
internal static class ReceiveBuffers
{
    /// <summary>
    /// A stream is moved in pieces of so many, and each piece costs a turn: at 64 KiB an echo cost half as much again as at 256. Memory is
    /// what was ever received into.
    /// </summary>
    private const int Bytes = 256 * 1024;

    /// <summary>In front of what is received: room for what a session had left of the bytes before.</summary>
    public const int RestBytes = 64 * 1024;

    /// <summary>From so many on it pays to send from where they were received.</summary>
    public const int MuchBytes = 16 * 1024;

    private static readonly Lock _lock = new();
    private static readonly Stack<byte[]> _free = [];

    public static byte[] Take()
    {
        lock (_lock)
        {
            if (_free.TryPop(out byte[]? buffer))
            {
                return buffer;
            }
        }

        return GC.AllocateUninitializedArray<byte>(RestBytes + Bytes, pinned: true);
    }

    public static void Return(byte[] buffer)
    {
        lock (_lock)
        {
            _free.Push(buffer);
        }
    }
}
