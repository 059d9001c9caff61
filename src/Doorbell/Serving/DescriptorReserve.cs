using Doorbell.Native;

namespace Doorbell.Serving;

/// <summary>
/// Who waits for a descriptor of the system's. Connections that have been accepted may hold all of them while each waits for one more, to
/// connect: then none ends, and none is free again. So one descriptor is kept, and given to the first that waits; and while one waits,
/// nothing is accepted: clients can wait in the backlog, where they need none. Any thread may call any member.
/// </summary>
internal sealed class DescriptorReserve : IDisposable
{
    private readonly Lock _lock = new();
    private EventDescriptor? _kept;
    private int _waiting;
    private bool _isDisposed;

    /// <summary>How long to wait before the system is asked again.</summary>
    public static TimeSpan Pause { get; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Whether a connection may be accepted now: nobody waits, and one descriptor is kept.</summary>
    public bool MayAccept => Volatile.Read(ref _waiting) == 0 && (Volatile.Read(ref _kept) is not null || TryKeep());

    /// <summary>Somebody waits from here on, until <see cref="Over"/>.</summary>
    public void Wait()
    {
        lock (_lock)
        {
            Interlocked.Increment(ref _waiting);
            _kept?.Dispose();
            _kept = null;
        }
    }

    /// <summary>Somebody waits no more.</summary>
    public void Over() => Interlocked.Decrement(ref _waiting);

    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            _kept?.Dispose();
            _kept = null;
        }
    }

    private bool TryKeep()
    {
        if (!OperatingSystem.IsLinux())
        {
            return true;
        }

        lock (_lock)
        {
            if (_waiting > 0)
            {
                return false;
            }

            try
            {
                _kept ??= _isDisposed ? null : new EventDescriptor();
            }
            catch (NetworkException)
            {
                return false;
            }

            return true;
        }
    }
}
