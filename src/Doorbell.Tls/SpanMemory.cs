using System.Buffers;

namespace Doorbell.Tls;

/// <summary>A span as memory, for a call that ends before the span does.</summary>
internal sealed unsafe class SpanMemory : MemoryManager<byte>
{
    private byte* _start;
    private int _length;

    /// <summary>From here to <see cref="Clear"/> it stands for these bytes, which are fixed by the caller.</summary>
    public Memory<byte> Set(byte* start, int length)
    {
        _start = start;
        _length = length;
        return CreateMemory(length);
    }

    /// <summary>It stands for nothing.</summary>
    public void Clear()
    {
        _start = null;
        _length = 0;
    }

    public override Span<byte> GetSpan() => new(_start, _length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing) => Clear();
}
