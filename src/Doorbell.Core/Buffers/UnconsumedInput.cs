using System.Buffers;

namespace Doorbell.Sessions;

/// <summary>What a handler left unconsumed, kept in rented memory until it takes it; empty, it owns none.</summary>
internal struct UnconsumedInput(ArrayPool<byte> pool)
{
    private byte[] _bytes = [];
    private int _start;
    private int _end;

    public readonly bool IsEmpty => _start == _end;

    public readonly int Length => _end - _start;

    /// <summary>The length of the array that it has rented. Any thread may ask.</summary>
    public readonly long HeldBytes => _bytes.Length;

    public readonly ReadOnlySpan<byte> Span => _bytes.AsSpan(_start, _end - _start);

    public void Append(ReadOnlySpan<byte> more)
    {
        if (more.IsEmpty)
        {
            return;
        }

        if (_bytes.Length - _end < more.Length)
        {
            MakeRoom(more.Length);
        }

        more.CopyTo(_bytes.AsSpan(_end));
        _end += more.Length;
    }

    /// <summary>Room behind it, which <see cref="Advance"/> takes or gives back.</summary>
    public Span<byte> GetSpan(int least)
    {
        if (_bytes.Length - _end < least)
        {
            MakeRoom(least);
        }

        return _bytes.AsSpan(_end);
    }

    /// <summary>So many bytes were written to the last span.</summary>
    public void Advance(int count)
    {
        _end += count;
        Consume(0);
    }

    public void Consume(int count)
    {
        _start += count;
        if (_start == _end)
        {
            Release();
        }
    }

    /// <summary>To its beginning, from where it is kept no longer.</summary>
    public void MoveTo(Span<byte> place)
    {
        Span.CopyTo(place);
        Release();
    }

    public void Release()
    {
        _start = _end = 0;
        if (_bytes.Length > 0)
        {
            pool.Return(_bytes);
            _bytes = [];
        }
    }

    private void MakeRoom(int more)
    {
        int length = Length;
        if (length + more <= _bytes.Length / 2)
        {
            Span.CopyTo(_bytes);
        }
        else
        {
            byte[] larger = pool.Rent(Math.Max(length + more, Math.Min(2 * length, 1 << 30)));
            Span.CopyTo(larger);
            if (_bytes.Length > 0)
            {
                pool.Return(_bytes);
            }

            _bytes = larger;
        }

        (_start, _end) = (0, length);
    }
}
