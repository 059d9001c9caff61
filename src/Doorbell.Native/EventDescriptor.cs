namespace Doorbell.Native;

/// <summary>An eventfd(2): raised by any thread, watched by lanes of this process and of others that inherit it.</summary>
internal sealed unsafe class EventDescriptor : IDisposable
{
    private readonly Lock _lock = new();
    private int _descriptor;

    /// <exception cref="NetworkException">No descriptor is left.</exception>
    public EventDescriptor()
    {
        _descriptor = Libc.eventfd(0, Libc.CloseOnExec | Libc.NonBlocking);
        if (_descriptor < 0)
        {
            throw NetworkException.FromErrno("eventfd", "a lane", LinuxErrno.Last);
        }
    }

    /// <summary>For poll(2) and epoll; readable while raised.</summary>
    public int Descriptor => _descriptor;

    /// <summary>Makes it readable. After <see cref="Dispose"/> it does nothing.</summary>
    public void Raise()
    {
        lock (_lock)
        {
            if (_descriptor >= 0)
            {
                ulong one = 1;
                _ = Libc.write(_descriptor, &one, sizeof(ulong));
            }
        }
    }

    /// <summary>Makes it unreadable.</summary>
    public void Clear()
    {
        ulong count;
        _ = Libc.read(_descriptor, &count, sizeof(ulong));
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _ = Libc.close(_descriptor);
            _descriptor = -1;
        }
    }
}
