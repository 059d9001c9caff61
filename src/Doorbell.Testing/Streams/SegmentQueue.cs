namespace Doorbell.Testing;

/// <summary>Segments by their number, from the first that has not been taken in order yet.</summary>
internal sealed class SegmentQueue
{
    // A power of two, so that a number's place is its low bits.
    private Segment[] _segments = new Segment[4];

    /// <summary>The number of the first.</summary>
    public int First { get; private set; }

    public int Count { get; private set; }

    public ref Segment this[int number] => ref _segments[number & (_segments.Length - 1)];

    /// <summary>Its number; they are not used up before 2^29 segments.</summary>
    public int Add(SegmentKind kind, int length)
    {
        if (Count == _segments.Length)
        {
            Segment[] before = _segments;
            _segments = new Segment[before.Length * 2];
            for (int number = First; number < First + Count; number++)
            {
                this[number] = before[number & (before.Length - 1)];
            }
        }

        int added = First + Count++;
        this[added] = new Segment { Kind = kind, Length = length };
        return added;
    }

    public Segment Take()
    {
        Segment first = this[First++];
        Count--;
        return first;
    }
}
