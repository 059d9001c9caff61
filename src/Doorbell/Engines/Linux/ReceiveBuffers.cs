namespace Doorbell;

/// <summary>
/// Buffers that lanes receive into, shared by all threads: as many as ever received at once. (ArrayPool keeps one for each thread,
/// and there may be thousands that sleep.)
/// </summary>
internal static class ReceiveBuffers
{
    /// <summary>More than peers usually send at once: a receive that fills it has to be followed by another.</summary>
    private const int Bytes = 128 * 1024;

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

        return GC.AllocateUninitializedArray<byte>(Bytes, pinned: true);
    }

    public static void GiveBack(byte[] buffer)
    {
        lock (_lock)
        {
            _free.Push(buffer);
        }
    }
}
