using System.Buffers;
using Doorbell.Sessions;

namespace Doorbell.Pipes;

/// <summary>The memory of a connection's two pipes, from the shared pool: it counts as what the connection holds. Any thread.</summary>
internal sealed class PipeMemory : MemoryPool<byte>
{
    /// <summary>So many blocks that are not in use are kept, without their arrays: a pipe in motion makes none anew.</summary>
    private const int MaxFree = 4;

    private readonly Lock _lock = new();
    private readonly Stack<Block> _free = new();

    /// <summary>Where it counts; null before the connection is open.</summary>
    public HeldMemory? Held { get; set; }

    public override int MaxBufferSize => Array.MaxLength;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        Block? block;
        lock (_lock)
        {
            _ = _free.TryPop(out block);
        }

        block ??= new Block(this);
        block.Array = ArrayPool<byte>.Shared.Rent(Math.Max(1, minBufferSize));
        Held?.Add(block.Array.Length);
        return block;
    }

    protected override void Dispose(bool disposing)
    {
        // It owns nothing that is not in use.
    }

    private void Return(Block block)
    {
        byte[] array = block.Array;
        block.Array = [];
        if (array.Length == 0)
        {
            return;
        }

        Held?.Add(-array.Length);
        ArrayPool<byte>.Shared.Return(array);
        lock (_lock)
        {
            if (_free.Count < MaxFree)
            {
                _free.Push(block);
            }
        }
    }

    private sealed class Block(PipeMemory memory) : IMemoryOwner<byte>
    {
        public byte[] Array { get; set; } = [];

        public Memory<byte> Memory => Array;

        public void Dispose() => memory.Return(this);
    }
}
