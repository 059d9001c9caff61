using System.Threading.Channels;

namespace Doorbell.Lab.Impair.Streams;

/// <summary>
/// What is on its way in one direction of one connection, between who receives it and who sends it on. Bounded: who receives asks for
/// room first and waits for it, and meanwhile TCP slows the sender.
/// </summary>
/// <param name="room">What all connections share. Who has nothing on its way may add a chunk even if that is full, so all go on.</param>
internal sealed class ChunkQueue(StreamRoom room) : IDisposable
{
    /// <summary>Most bytes on their way in one direction of one connection.</summary>
    public const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>What a chunk takes beside its bytes, so that many small ones are bounded too.</summary>
    private const int ChunkBytes = 64;

    private readonly Channel<StreamChunk> _chunks = Channel.CreateUnbounded<StreamChunk>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
    private readonly SemaphoreSlim _taken = new(0);
    private long _bytes;

    /// <summary>Waits until less than so many bytes are on their way.</summary>
    public async ValueTask WaitForRoomAsync(Func<long> most, CancellationToken over)
    {
        while (Interlocked.Read(ref _bytes) is > 0 and var bytes && (bytes >= most() || room.IsFull))
        {
            await _taken.WaitAsync(over);
        }
    }

    public void Add(StreamChunk chunk)
    {
        Count(chunk.Bytes.Length + ChunkBytes);
        _chunks.Writer.TryWrite(chunk);
    }

    /// <summary>The next one; it counts as on its way until it is <see cref="Done"/>.</summary>
    public ValueTask<StreamChunk> NextAsync(CancellationToken over) => _chunks.Reader.ReadAsync(over);

    public void Done(StreamChunk chunk)
    {
        Count(-(chunk.Bytes.Length + ChunkBytes));
        if (_taken.CurrentCount == 0)
        {
            _taken.Release();
        }
    }

    /// <summary>Behind the last use: what was left makes room.</summary>
    public void Dispose()
    {
        room.Add(-Interlocked.Read(ref _bytes));
        _taken.Dispose();
    }

    private void Count(long bytes)
    {
        Interlocked.Add(ref _bytes, bytes);
        room.Add(bytes);
    }
}
