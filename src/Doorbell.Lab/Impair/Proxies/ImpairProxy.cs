using Doorbell.Sockets;

namespace Doorbell.Lab.Impair.Proxies;

/// <summary>
/// A proxy that is a bad network: it carries datagrams or streams from clients to an upstream and back, and does to them what its
/// faults say. <see cref="ImpairBinding.BindAsync"/> makes one. Any thread may read what has passed.
/// </summary>
public abstract class ImpairProxy : IDisposable
{
    private readonly List<DoorSocket> _doors;

    private protected ImpairProxy(ImpairOptions options, List<DoorSocket> doors)
    {
        Options = options;
        _doors = doors;
    }

    /// <summary>Where clients come to, with the actual addresses and ports. A name may stand for several.</summary>
    public IReadOnlyList<Endpoint> Endpoints => [.. _doors.Select(static bound => bound.Door.Endpoint)];

    /// <summary>What the readings count: <c>datagrams</c> or <c>bytes</c>.</summary>
    public abstract string Unit { get; }

    /// <summary>What was asked for.</summary>
    protected ImpairOptions Options { get; }

    private protected IReadOnlyList<DoorSocket> Doors => _doors;

    /// <summary>Carries until it is stopped.</summary>
    /// <param name="stop">Stops it. A connection that is open then is reset.</param>
    /// <exception cref="NetworkException">A listener can't go on.</exception>
    public abstract Task RunAsync(CancellationToken stop);

    /// <summary>What has passed from clients to the upstream.</summary>
    public abstract WayReading ReadUp();

    /// <summary>What has passed from the upstream to clients.</summary>
    public abstract WayReading ReadDown();

    /// <summary>What else is counted, of both directions together.</summary>
    public abstract IReadOnlyList<(string Name, long Count)> ReadOthers();

    /// <summary>Closes all sockets. <see cref="RunAsync"/> has ended before, or was never called.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the sockets.</summary>
    /// <param name="disposing">True: there is no finalizer.</param>
    protected virtual void Dispose(bool disposing) => _doors.ForEach(static door => door.Close());
}
