namespace Doorbell.Lab.Impair.Faults;

/// <summary>How bad one direction is now: set by whoever talks to the proxy, read by those who carry. Any thread may use it.</summary>
internal sealed class LiveFaults(WayFaults begin)
{
    private volatile FaultLayers _now = new([new FaultLayer(Key: 0, begin)]);

    /// <summary>Called behind each change, on the thread that makes it.</summary>
    public event Action? Changed;

    /// <summary>Another one behind each change.</summary>
    public FaultLayers Now => _now;

    public void Set(WayFaults faults) => Set([new FaultLayer(Key: 0, faults)]);

    public void Set(IReadOnlyList<FaultLayer> layers)
    {
        _now = new FaultLayers(layers);
        Changed?.Invoke();
    }
}
