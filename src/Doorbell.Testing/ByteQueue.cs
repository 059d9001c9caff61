namespace Doorbell.Testing;

/// <summary>Bytes in at one end, out at the other.</summary>
internal sealed class ByteQueue
{
    private byte[] _bytes = [];
    private int _start;

    public int Count { get; private set; }

    public void Enqueue(ReadOnlySpan<byte> bytes)
    {
        if (_bytes.Length - _start - Count < bytes.Length)
        {
            byte[] target = Count + bytes.Length <= _bytes.Length / 2 ? _bytes : new byte[Math.Max(256, 2 * (Count + bytes.Length))];
            _bytes.AsSpan(_start, Count).CopyTo(target);
            (_bytes, _start) = (target, 0);
        }

        bytes.CopyTo(_bytes.AsSpan(_start + Count));
        Count += bytes.Length;
    }

    public void Dequeue(Span<byte> into)
    {
        _bytes.AsSpan(_start, into.Length).CopyTo(into);
        Skip(into.Length);
    }

    public ReadOnlySpan<byte> Peek(int count) => _bytes.AsSpan(_start, count);

    public void Skip(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)Count, nameof(count));
        Count -= count;
        _start = Count == 0 ? 0 : _start + count;
    }

    /// <summary>Forgets the last bytes.</summary>
    public void DropLast(int count) => Count -= count;
}
