using System.Buffers;

namespace Doorbell;

/// <summary>The datagrams of one turn, one behind the other in one buffer, for the lane to send and clear.</summary>
public sealed class DatagramOutbox : IBufferWriter<byte>
{
    private const int FirstBufferBytes = 2048;

    /// <summary>Most bytes in one turn; a handler that writes more faults. A bound on memory, not on a protocol.</summary>
    private const int MaxBytes = 4 * 1024 * 1024;

    private readonly List<(int Offset, int Length, PeerAddress To)> _datagrams = [];
    private byte[] _bytes = new byte[FirstBufferBytes];
    private int _written;
    private int _begun;

    internal DatagramOutbox()
    {
    }

    /// <summary>Datagrams to be sent.</summary>
    public int Count => _datagrams.Count;

    /// <summary>Bytes of the datagram being written.</summary>
    internal int Begun => _written - _begun;

    /// <summary>The datagram at <paramref name="index"/>, in the order written; valid until <see cref="Clear"/>.</summary>
    /// <param name="index">From 0.</param>
    public (ReadOnlyMemory<byte> Bytes, PeerAddress To) this[int index]
    {
        get
        {
            (int offset, int length, PeerAddress to) = _datagrams[index];
            return (_bytes.AsMemory(offset, length), to);
        }
    }

    /// <summary>All are sent or lost: forget them, keep the memory.</summary>
    public void Clear()
    {
        _datagrams.Clear();
        _written = _begun = 0;
    }

    /// <inheritdoc/>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(_bytes.Length - _written), nameof(count));
        _written += count;
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Ensure(Math.Max(sizeHint, 1));
        return _bytes.AsSpan(_written);
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Ensure(Math.Max(sizeHint, 1));
        return _bytes.AsMemory(_written);
    }

    /// <summary>Ends the datagram being written.</summary>
    internal void End(PeerAddress to)
    {
        _datagrams.Add((_begun, Begun, to));
        _begun = _written;
    }

    /// <summary>Forgets the datagram being written.</summary>
    internal void Undo() => _written = _begun;

    private void Ensure(int more)
    {
        if (_bytes.Length - _written >= more)
        {
            return;
        }

        if (_written + (long)more > MaxBytes)
        {
            throw new InvalidOperationException($"More than {MaxBytes} bytes of datagrams were written in one turn.");
        }

        Array.Resize(ref _bytes, Math.Min(Math.Max(_bytes.Length * 2, _written + more), MaxBytes));
    }
}
