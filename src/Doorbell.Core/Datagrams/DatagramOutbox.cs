using System.Buffers;

namespace Doorbell.Sessions;

/// <summary>The datagrams to be sent, one behind the other in one buffer, for the lane to send and clear.</summary>
public sealed class DatagramOutbox : IBufferWriter<byte>
{
    private const int FirstBufferBytes = 2048;
    private const int FirstEntries = 64;

    /// <summary>Most bytes in one turn; a handler that writes more faults. A bound on memory, not on a protocol.</summary>
    private const int MaxTurnBytes = 4 * 1024 * 1024;

    /// <summary>From here on it is to be sent before the next datagram is handled: it holds no more than this and one turn's.</summary>
    private const int FullBytes = 256 * 1024;
    private const int FullEntries = 1024;

    // Consecutive datagrams mostly share a path, so an entry is 8 bytes.
    private Entry[] _entries = new Entry[FirstEntries];
    private DatagramPath[] _paths = new DatagramPath[FirstEntries];
    private byte[] _bytes = new byte[FirstBufferBytes];
    private int _count;
    private int _pathCount;
    private int _written;
    private int _begun;
    private int _turnBytes;
    private int _turnEntries;

    internal DatagramOutbox()
    {
    }

    /// <summary>Datagrams to be sent.</summary>
    public int Count => _count;

    /// <summary>Whether it is to be sent and cleared before the session gets another datagram.</summary>
    public bool IsFull => _begun >= FullBytes || _count >= FullEntries;

    /// <summary>All the datagrams' bytes, one behind the other; valid until <see cref="Clear"/>.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _begun);

    /// <summary>Bytes of the datagram being written.</summary>
    internal int Begun => _written - _begun;

    /// <summary>Datagrams of this turn.</summary>
    internal int CountOfTurn => _count - _turnEntries;

    /// <summary>The datagram at <paramref name="index"/>, in the order written; valid until <see cref="Clear"/>.</summary>
    /// <param name="index">From 0.</param>
    public (ReadOnlyMemory<byte> Bytes, PeerAddress To) this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_count, nameof(index));
            int offset = OffsetOf(index);
            return (_bytes.AsMemory(offset, _entries[index].End - offset), _paths[_entries[index].Path].Peer);
        }
    }

    /// <summary>Over which path the datagram at <paramref name="index"/> goes.</summary>
    /// <param name="index">From 0.</param>
    public ref readonly DatagramPath PathOf(int index) => ref _paths[_entries[index].Path];

    /// <summary>The longest run that begins with the datagram at <paramref name="first"/>.</summary>
    /// <param name="first">From 0.</param>
    /// <param name="limits">What may be joined.</param>
    public DatagramRun RunFrom(int first, SegmentLimits limits)
    {
        ReadOnlySpan<Entry> entries = _entries.AsSpan(0, _count);
        int offset = OffsetOf(first);
        (int end, int path) = entries[first];
        int size = end - offset;
        int next = first + 1;

        // An empty datagram is none of a message's segments.
        if (size > 0 && size <= limits.MaxSegmentBytes)
        {
            int most = (int)Math.Min(entries.Length, first + (long)limits.MaxSegments);
            for (bool isShorter = false; next < most && !isShorter && entries[next].Path == path; next++)
            {
                int length = entries[next].End - end;
                if (length == 0 || length > size || entries[next].End - offset > limits.MaxBytes)
                {
                    break;
                }

                isShorter = length < size;
                end = entries[next].End;
            }
        }

        return new DatagramRun(next - first, offset, end - offset, size);
    }

    /// <summary>All are sent or lost: forget them, keep the memory.</summary>
    public void Clear()
    {
        _paths.AsSpan(0, _pathCount).Clear();
        _count = _pathCount = _written = _begun = 0;
        _turnBytes = _turnEntries = 0;
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

    /// <summary>A turn begins; its limits are counted from here.</summary>
    internal void BeginTurn()
    {
        _turnBytes = _written;
        _turnEntries = _count;
    }

    /// <summary>The number of a path for <see cref="End"/>, valid until <see cref="Clear"/>.</summary>
    internal int NumberOf(in DatagramPath path)
    {
        if (_pathCount > 0 && _paths[_pathCount - 1] == path)
        {
            return _pathCount - 1;
        }

        if (_pathCount == _paths.Length)
        {
            Array.Resize(ref _paths, _paths.Length * 2);
        }

        _paths[_pathCount] = path;
        return _pathCount++;
    }

    /// <summary>Ends the datagram being written.</summary>
    internal void End(int path)
    {
        if (_count == _entries.Length)
        {
            Array.Resize(ref _entries, _entries.Length * 2);
        }

        _entries[_count++] = new Entry(_written, path);
        _begun = _written;
    }

    /// <summary>Forgets the datagram being written.</summary>
    internal void Undo() => _written = _begun;

    private int OffsetOf(int index) => index == 0 ? 0 : _entries[index - 1].End;

    private void Ensure(int more)
    {
        if (_bytes.Length - _written < more || _written - _turnBytes + (long)more > MaxTurnBytes)
        {
            Grow(more);
        }
    }

    private void Grow(int more)
    {
        if (_written - _turnBytes + (long)more > MaxTurnBytes)
        {
            throw new InvalidOperationException($"More than {MaxTurnBytes} bytes of datagrams were written in one turn.");
        }

        if (_bytes.Length - _written < more)
        {
            Array.Resize(ref _bytes, Math.Max(Math.Min(_bytes.Length * 2, FullBytes + MaxTurnBytes), _written + more));
        }
    }

    private readonly record struct Entry(int End, int Path);
}
