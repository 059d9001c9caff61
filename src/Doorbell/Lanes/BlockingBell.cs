using Doorbell.Native;

namespace Doorbell.Lanes;

/// <summary>The bell of a connection whose lane sleeps in poll(2). It has a descriptor only once the lane listens for it.</summary>
internal sealed class BlockingBell(SharedWake? wake = null) : LaneBell, IDisposable
{
    private readonly Lock _lock = new();
    private EventDescriptor? _event;
    private bool _rung;

    public override void Ring()
    {
        lock (_lock)
        {
            _rung = true;
            _event?.Raise();
        }
    }

    /// <summary>Nothing is remembered: the lane looks whenever it wakes.</summary>
    public override void Wake() => wake?.Raise();

    /// <summary>A descriptor that is readable from the next ring on, or at once if it has been rung.</summary>
    public int Listen()
    {
        lock (_lock)
        {
            if (_event is null)
            {
                _event = new EventDescriptor();
                if (_rung)
                {
                    _event.Raise();
                }
            }

            return _event.Descriptor;
        }
    }

    /// <summary>Whether it has been rung since the last time. Without a ring this is one read of memory.</summary>
    public bool TakeRing()
    {
        if (!Volatile.Read(ref _rung))
        {
            return false;
        }

        lock (_lock)
        {
            _rung = false;
            _event?.Clear();
            return true;
        }
    }

    public void Dispose() => _event?.Dispose();
}
