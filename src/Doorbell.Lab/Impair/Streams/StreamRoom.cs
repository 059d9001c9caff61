namespace Doorbell.Lab.Impair.Streams;

/// <summary>How many bytes are on their way through all connections together, so that there are never too many.</summary>
internal sealed class StreamRoom
{
    /// <summary>Most bytes of all connections together.</summary>
    public const long MaxBytes = 256L * 1024 * 1024;

    private long _bytes;

    public bool IsFull => Interlocked.Read(ref _bytes) >= MaxBytes;

    public void Add(long bytes) => Interlocked.Add(ref _bytes, bytes);
}
