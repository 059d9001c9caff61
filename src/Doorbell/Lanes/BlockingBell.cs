using Doorbell.Native;
using Doorbell.Serving;

namespace Doorbell.Lanes;

/// <summary>
/// The bell of a connection whose lane sleeps in poll(2). It has a descriptor only once the lane listens for it. Where the system has none
/// left, the lane looks from time to time whether it was rung: no connection is lost for that.
/// </summary>
internal sealed class BlockingBell(SharedWake? wake = null) : LaneBell, IDisposable
{
    private readonly Lock _lock = new();
    private EventDescriptor? _event;
    private bool _rung;
    private bool _isDeaf;

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

    /// <summary>
    /// A descriptor that is readable from the next ring on, or at once if it has been rung. It is -1 if there is none: the lane then sleeps
    /// no longer than <see cref="Bound"/> says.
    /// </summary>
    public int Listen()
    {
        lock (_lock)
        {
            if (_event is null)
            {
                try
                {
                    _event = new EventDescriptor();
                }
                catch (NetworkException)
                {
                    _isDeaf = true;
                    return -1;
                }

                _isDeaf = false;
                if (_rung)
                {
                    _event.Raise();
                }
            }

            return _event.Descriptor;
        }
    }

    /// <summary>How long the lane may sleep after <see cref="Listen"/>.</summary>
    /// <param name="milliseconds">As long as it wants to, as poll(2) takes it: -1 for ever.</param>
    public int Bound(int milliseconds) => !_isDeaf ? milliseconds
        : Volatile.Read(ref _rung) ? 0
        : (int)Math.Min((uint)milliseconds, (uint)DescriptorReserve.Pause.TotalMilliseconds);

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
