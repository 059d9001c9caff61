using System.Buffers;
using Doorbell.Sessions;

namespace Doorbell.Pipes;

/// <summary>Bytes in memory of the shared pool; empty, it owns none. One user at a time.</summary>
internal sealed class PooledBuffer : IBufferWriter<byte>
{
    private const int SmallestRent = 256;

    private byte[] _bytes = [];

    /// <summary>Where its memory counts; null for nowhere.</summary>
    public HeldMemory? Held { get; set; }

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(_bytes.Length - Length), nameof(count));
        Length += count;
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        MakeRoom(Math.Max(sizeHint, 1));
        return _bytes.AsSpan(Length);
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        MakeRoom(Math.Max(sizeHint, 1));
        return _bytes.AsMemory(Length);
    }

    /// <summary>Gives the memory back: nothing may use it any more.</summary>
    public void Release()
    {
        ReturnBytes();
        (_bytes, Length) = ([], 0);
    }

    private void MakeRoom(int count)
    {
        if (_bytes.Length - Length >= count)
        {
            return;
        }

        int doubled = (int)Math.Min(2L * Length, Array.MaxLength);
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(SmallestRent, Math.Max(checked(Length + count), doubled)));
        Held?.Add(larger.Length);
        Written.Span.CopyTo(larger);
        ReturnBytes();
        _bytes = larger;
    }

    private void ReturnBytes()
    {
        if (_bytes.Length > 0)
        {
            Held?.Add(-_bytes.Length);
            ArrayPool<byte>.Shared.Return(_bytes);
        }
    }
}
