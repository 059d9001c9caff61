using Doorbell.Native;

namespace Doorbell.Lanes;

/// <summary>
/// Wakes all lanes that sleep in poll(2), once for each <see cref="Raise"/>: a descriptor for each of them would cost a connection one. A
/// raise puts a new event in the place of the one that the lanes poll, so none of them finds it raised again when it goes back to sleep.
/// </summary>
internal sealed class SharedWake : IDisposable
{
    private Event _current = new();

    /// <summary>What to poll now. Whoever polls it keeps it meanwhile (<see cref="GC.KeepAlive"/>).</summary>
    public Event Current => Volatile.Read(ref _current);

    /// <summary>Any thread: wakes all that poll.</summary>
    /// <exception cref="NetworkException">No descriptor is left.</exception>
    public void Raise() => Interlocked.Exchange(ref _current, new Event()).Raise();

    /// <summary>No lane polls any more.</summary>
    public void Dispose() => _current.Dispose();

    /// <summary>An event that is raised once, and closed when nobody polls it any more.</summary>
    internal sealed class Event : IDisposable
    {
        private readonly EventDescriptor _descriptor = new();

        ~Event() => _descriptor.Dispose();

        public void Dispose()
        {
            _descriptor.Dispose();
            GC.SuppressFinalize(this);
        }

        public int Descriptor => _descriptor.Descriptor;

        public void Raise() => _descriptor.Raise();
    }
}
