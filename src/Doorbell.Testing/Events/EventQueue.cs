namespace Doorbell.Testing;

/// <summary>
/// What is to happen, by time; of what is due at one time the first to come happens first. A heap of four children a node: half as deep
/// as one of two, and a node's children lie side by side.
/// </summary>
internal sealed class EventQueue
{
    private const int Children = 4;
    private Entry[] _entries = new Entry[256];
    private long _number;

    public int Count { get; private set; }

    /// <summary>When the first is due; there must be one.</summary>
    public TimeSpan NextAt => new(_entries[0].At);

    /// <param name="at">When.</param>
    /// <param name="target">An <see cref="IScheduled"/> or an <see cref="Action"/>.</param>
    /// <param name="what">For the first of these.</param>
    public void Enqueue(TimeSpan at, object target, int what)
    {
        if (Count == _entries.Length)
        {
            Array.Resize(ref _entries, Count * 2);
        }

        Entry entry = new(at.Ticks, _number++, target, what);
        int hole = Count++;
        while (hole > 0)
        {
            int parent = (hole - 1) / Children;
            if (!entry.IsBefore(_entries[parent]))
            {
                break;
            }

            _entries[hole] = _entries[parent];
            hole = parent;
        }

        _entries[hole] = entry;
    }

    /// <summary>Takes the first; there must be one.</summary>
    public Entry Dequeue()
    {
        Entry first = _entries[0];
        Entry last = _entries[--Count];
        _entries[Count] = default;
        if (Count > 0)
        {
            Sink(last);
        }

        return first;
    }

    private void Sink(in Entry entry)
    {
        Span<Entry> entries = _entries.AsSpan(0, Count);
        int hole = 0;
        for (int child = 1; child < entries.Length; child = (hole * Children) + 1)
        {
            int least = child;
            int end = Math.Min(child + Children, entries.Length);
            for (int other = child + 1; other < end; other++)
            {
                least = entries[other].IsBefore(entries[least]) ? other : least;
            }

            if (!entries[least].IsBefore(entry))
            {
                break;
            }

            entries[hole] = entries[least];
            hole = least;
        }

        entries[hole] = entry;
    }

    /// <summary>An event.</summary>
    internal readonly record struct Entry(long At, long Number, object Target, int What)
    {
        public bool IsBefore(in Entry other) => At < other.At || (At == other.At && Number < other.Number);

        public void Happen()
        {
            if (Target is Action action)
            {
                action();
            }
            else
            {
                ((IScheduled)Target).Happen(What);
            }
        }
    }
}
