namespace Doorbell.Lanes;

/// <summary>
/// Buffers that lanes receive into, shared by all threads: as many as ever received at once. (ArrayPool keeps one for each thread,
/// and there may be thousands that sleep.)
/// </summary>
internal static class ReceiveBuffers
{
    private static readonly Lock _lock = new();
    private static readonly Stack<ReceiveBuffer> _free = [];

    public static ReceiveBuffer Take()
    {
        lock (_lock)
        {
            if (_free.TryPop(out ReceiveBuffer? buffer))
            {
                return buffer;
            }
        }

        return new ReceiveBuffer();
    }

    public static void Return(ReceiveBuffer buffer)
    {
        lock (_lock)
        {
            _free.Push(buffer);
        }
    }
}
