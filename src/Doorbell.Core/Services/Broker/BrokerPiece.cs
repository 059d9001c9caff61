using System.Buffers;

namespace Doorbell;

/// <summary>
/// What a member of a broker has said in one go: one copy for all who are told it, each of whom reads it on its own lane. It can be used
/// again when the last has read it.
/// </summary>
internal sealed class BrokerPiece
{
    private byte[] _bytes = [];
    private int _readers;

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);

    /// <summary>Takes these bytes; the caller is its first reader.</summary>
    public void Fill(ReadOnlySpan<byte> bytes)
    {
        _bytes = ArrayPool<byte>.Shared.Rent(bytes.Length);
        bytes.CopyTo(_bytes);
        Length = bytes.Length;
        _readers = 1;
    }

    /// <summary>Another will read it.</summary>
    public void AddReader() => Interlocked.Increment(ref _readers);

    /// <summary>A reader has done with it. True of the last one: then it is empty.</summary>
    public bool Leave()
    {
        if (Interlocked.Decrement(ref _readers) > 0)
        {
            return false;
        }

        ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
        Length = 0;
        return true;
    }
}
