using System.Buffers;

namespace Doorbell.Lab.Impair.Streams;

/// <summary>
/// What is on its way in one direction of one connection, in rented memory. It is bounded: a side that finds no room receives no more, and
/// TCP slows the sender.
/// </summary>
/// <param name="room">
/// What all connections share. A direction that has nothing on its way may add even if that is full, so that every connection goes on.
/// </param>
internal sealed class ChunkQueue(StreamRoom room)
{
    /// <summary>Most bytes on their way in one direction of one connection.</summary>
    public const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>What a chunk takes beside its bytes, so that many small ones are bounded too.</summary>
    private const int ChunkBytes = 64;

    private readonly Queue<StreamChunk> _chunks = new();

    /// <summary>How many bytes of the first chunk are taken.</summary>
    private int _taken;

    /// <summary>Those added and not <see cref="Released"/>.</summary>
    private long _bytes;

    /// <summary>Those taken and not <see cref="Released"/>.</summary>
    private long _unreleased;

    /// <summary>The part of the first chunk that is not taken.</summary>
    public ReadOnlySpan<byte> First => _chunks.TryPeek(out StreamChunk first) ? first.Bytes.AsSpan(_taken, first.Length - _taken) : default;

    public bool TryPeek(out StreamChunk first) => _chunks.TryPeek(out first);

    /// <summary>How many of so many bytes may be added.</summary>
    /// <param name="bytes">How many there are.</param>
    /// <param name="most">How many may be on their way.</param>
    public int RoomFor(int bytes, long most)
    {
        if (_bytes == 0)
        {
            return (int)Math.Min(bytes, Math.Max(most, 1));
        }

        return room.IsFull ? 0 : (int)Math.Clamp(most - _bytes, 0, bytes);
    }

    public void Add(ReadOnlySpan<byte> bytes, TimeSpan now)
    {
        byte[] copy = ArrayPool<byte>.Shared.Rent(bytes.Length);
        bytes.CopyTo(copy);
        _chunks.Enqueue(new StreamChunk(copy, bytes.Length, now, StreamChunkKind.Bytes));
        Count(bytes.Length + ChunkBytes);
    }

    /// <summary>Adds an end, which takes no room.</summary>
    public void Add(StreamChunkKind end, TimeSpan now) => _chunks.Enqueue(new StreamChunk([], 0, now, end));

    /// <summary>Takes bytes from the front of the first chunk. They count as on their way until they are <see cref="Released"/>.</summary>
    public void Take(int bytes)
    {
        _taken += bytes;
        _unreleased += bytes;
        if (_taken == _chunks.Peek().Length)
        {
            _taken = 0;
            _unreleased += ChunkBytes;
            ArrayPool<byte>.Shared.Return(_chunks.Dequeue().Bytes);
        }
    }

    /// <summary>Takes the first chunk, which is an end.</summary>
    public void TakeEnd() => _chunks.Dequeue();

    /// <summary>All that was taken is no longer on its way.</summary>
    public void Released()
    {
        Count(-_unreleased);
        _unreleased = 0;
    }

    /// <summary>The connection is over: what is left makes room.</summary>
    public void Clear()
    {
        while (_chunks.TryDequeue(out StreamChunk chunk))
        {
            if (chunk.Kind == StreamChunkKind.Bytes)
            {
                ArrayPool<byte>.Shared.Return(chunk.Bytes);
            }
        }

        _taken = 0;
        _unreleased = 0;
        Count(-_bytes);
    }

    private void Count(long bytes)
    {
        _bytes += bytes;
        room.Add(bytes);
    }
}
