namespace Doorbell.Lab.Impair.Faults;

/// <summary>How bad one direction is now: set by whoever talks to the proxy, read by those who carry. Any thread may use it.</summary>
internal sealed class LiveFaults(WayFaults begin)
{
    private volatile WayFaults _now = begin;

    /// <summary>Called behind each change, on the thread that makes it.</summary>
    public event Action? Changed;

    public WayFaults Now => _now;

    public void Set(WayFaults faults)
    {
        _now = faults;
        Changed?.Invoke();
    }
}
