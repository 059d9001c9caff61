using System.Buffers;

namespace Doorbell;

/// <summary>
/// What a handler writes its answer into. Memory is rented when the first byte is written and given back when the kernel has
/// taken the last, so an idle connection owns none.
/// </summary>
/// <remarks>
/// Two buffers: what a send under way reads is never moved or returned while the handler writes on, which io_uring and every
/// other asynchronous send need.
/// </remarks>
public sealed class OutputBuffer : IBufferWriter<byte>
{
    private const int SmallestRent = 1024;

    /// <summary>Less is copied: a message that is answered with the next ones is sent with them.</summary>
    private const int LeastPassedOn = 4 * 1024;

    private readonly ArrayPool<byte> _pool;
    private byte[] _sending = [];
    private int _sendStart;
    private int _sendEnd;
    private byte[] _writing = [];
    private int _written;

    /// <summary>The lane's, that the input lies in; what is passed on from it is sent from it, before anything written.</summary>
    private ReadOnlyMemory<byte> _lent;
    private int _passStart;
    private int _passEnd;

    internal OutputBuffer(ArrayPool<byte> pool, int limit)
    {
        _pool = pool;
        Limit = limit;
    }

    /// <summary>Where its memory comes from.</summary>
    internal ArrayPool<byte> Pool => _pool;

    /// <summary>The length of the arrays that it has rented. Any thread may ask.</summary>
    internal long HeldBytes => _sending.Length + (long)_writing.Length;

    /// <summary>Most bytes that may be pending.</summary>
    internal int Limit { get; set; }

    /// <summary>Bytes written and not yet taken by the kernel.</summary>
    public int Pending => _passEnd - _passStart + _sendEnd - _sendStart + _written;

    /// <summary>Adds bytes that were written into the last span or memory handed out.</summary>
    /// <param name="count">How many; not more than that span was long.</param>
    /// <exception cref="ArgumentOutOfRangeException">Negative, or past the span's end.</exception>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(_writing.Length - _written), nameof(count));
        _written += count;
    }

    /// <summary>Room for at least <paramref name="sizeHint"/> bytes (at least 1), valid until the next call here.</summary>
    /// <param name="sizeHint">Bytes needed; 0 for any.</param>
    /// <exception cref="PendingOutputException">More would be pending than <see cref="StreamLimits.MaxPendingOutput"/>.</exception>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        if (_writing.Length - _written < Math.Max(sizeHint, 1))
        {
            Grow(Math.Max(sizeHint, 1));
        }

        return _writing.AsSpan(_written);
    }

    /// <inheritdoc cref="GetSpan"/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        GetSpan(sizeHint);
        return _writing.AsMemory(_written);
    }

    /// <summary>Adds <paramref name="bytes"/> to the end: a copy, or, of much input that is passed on as it came, its place.</summary>
    /// <param name="bytes">May be empty; may be the caller's own again after the call.</param>
    /// <exception cref="PendingOutputException">More would be pending than <see cref="StreamLimits.MaxPendingOutput"/>.</exception>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.IsEmpty && (bytes.Length < LeastPassedOn || !TryPassOn(bytes)))
        {
            bytes.CopyTo(GetSpan(bytes.Length));
            _written += bytes.Length;
        }
    }

    /// <summary>Leaves room for a value known only after what follows it is written, such as a length; see <see cref="Patch"/>.</summary>
    /// <param name="size">Bytes.</param>
    /// <returns>The place, good for <see cref="Patch"/> within the same turn.</returns>
    public int Reserve(int size)
    {
        // What is passed on would not be counted by WrittenSince: from here on all is copied.
        ReclaimLent();
        GetSpan(size)[..size].Clear();
        _written += size;
        return _written - size;
    }

    /// <summary>Fills in what <see cref="Reserve"/> left room for.</summary>
    /// <param name="place">What <see cref="Reserve"/> answered.</param>
    /// <param name="bytes">No longer than was reserved.</param>
    public void Patch(int place, ReadOnlySpan<byte> bytes) => bytes.CopyTo(_writing.AsSpan(place, _written - place));

    /// <summary>Bytes written since <paramref name="place"/> was reserved, its own included.</summary>
    /// <param name="place">What <see cref="Reserve"/> answered.</param>
    public int WrittenSince(int place) => _written - place;

    /// <summary>What <see cref="Reserve"/> left room for, to be filled in place before the next call here.</summary>
    internal Span<byte> Reserved(int place, int size) => _writing.AsSpan(place, size);

    /// <summary>What is to be sent next; it stays where it is until <see cref="Taken"/> says all of it went.</summary>
    internal ReadOnlyMemory<byte> Outgoing
    {
        get
        {
            if (_passStart < _passEnd)
            {
                return _lent[_passStart.._passEnd];
            }

            if (_sendStart == _sendEnd && _written > 0)
            {
                (_sending, _writing) = (_writing, _sending);
                (_sendStart, _sendEnd, _written) = (0, _written, 0);
            }

            return _sending.AsMemory(_sendStart, _sendEnd - _sendStart);
        }
    }

    /// <summary>How long <see cref="Outgoing"/> was when it was last asked for, without what has been taken since.</summary>
    internal int OutgoingBytes => _passStart < _passEnd ? _passEnd - _passStart : _sendEnd - _sendStart;

    internal void Taken(int count)
    {
        if (_passStart < _passEnd)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(_passEnd - _passStart), nameof(count));
            _passStart += count;
            return;
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(_sendEnd - _sendStart), nameof(count));
        _sendStart += count;
        if (_sendStart == _sendEnd)
        {
            _sendStart = _sendEnd = 0;
            Return(ref _sending);
        }
    }

    /// <summary>From here to <see cref="ReclaimLent"/> what is passed on from this memory needs no copy.</summary>
    internal void Lend(ReadOnlyMemory<byte> memory) => _lent = memory;

    /// <summary>What has been passed on and not been sent is copied now.</summary>
    internal void ReclaimLent()
    {
        int unsent = _passEnd - _passStart;
        if (unsent > 0)
        {
            // Nothing was pending before it: nothing is being sent.
            _sending = _pool.Rent(unsent);
            _lent.Span[_passStart.._passEnd].CopyTo(_sending);
            (_sendStart, _sendEnd) = (0, unsent);
        }

        _passStart = _passEnd = 0;
        _lent = default;
    }

    /// <summary>Gives all memory back. Only when no send is under way.</summary>
    internal void Release()
    {
        _passStart = _passEnd = 0;
        _lent = default;
        _sendStart = _sendEnd = _written = 0;
        Return(ref _sending);
        Return(ref _writing);
    }

    /// <summary>It can be if it is the first that is pending, or goes on where what is passed on ends.</summary>
    private bool TryPassOn(ReadOnlySpan<byte> bytes)
    {
        if (!_lent.Span.Overlaps(bytes, out int place) || (Pending > 0 && (place != _passEnd || Pending > _passEnd - _passStart)))
        {
            return false;
        }

        ThrowIfOverLimit(bytes.Length);
        _passStart = Pending > 0 ? _passStart : place;
        _passEnd = place + bytes.Length;
        return true;
    }

    private void ThrowIfOverLimit(int more)
    {
        if (Pending + (long)more > Limit)
        {
            throw new PendingOutputException(Pending, more, Limit);
        }
    }

    private void Grow(int more)
    {
        ThrowIfOverLimit(more);

        byte[] larger = _pool.Rent(Math.Max(SmallestRent, Math.Max(_written + more, Math.Min(_written * 2, Limit))));
        _writing.AsSpan(0, _written).CopyTo(larger);
        Return(ref _writing);
        _writing = larger;
    }

    private void Return(ref byte[] array)
    {
        if (array.Length > 0)
        {
            _pool.Return(array);
            array = [];
        }
    }
}

/// <summary>A handler has written more than <see cref="StreamLimits.MaxPendingOutput"/>; its connection is reset.</summary>
public sealed class PendingOutputException : InvalidOperationException
{
    internal PendingOutputException(int pending, int more, int limit)
        : base($"{pending} bytes of output are pending and {more} more were asked for, past the limit of {limit} (MaxPendingOutput)")
    {
    }
}
