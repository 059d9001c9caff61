using System.Net;
using Doorbell.Lab.Impair.Datagrams;
using Doorbell.Lab.Impair.Streams;
using Doorbell.Sockets;

namespace Doorbell.Lab.Impair;

/// <summary>
/// A proxy that is a bad network: it carries datagrams or streams from clients to an upstream and back, and does to them what its
/// faults say. Any thread may read what has passed.
/// </summary>
public abstract class ImpairProxy : IDisposable
{
    private static readonly TimeSpan _resolveTimeout = TimeSpan.FromSeconds(5);

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

    /// <summary>Binds the listening endpoint and looks for the upstream. Nothing is carried before <see cref="RunAsync"/>.</summary>
    /// <param name="options">What is carried, and how.</param>
    /// <param name="cancellation">Ends the wait for name resolution.</param>
    /// <returns>The proxy, bound. Its owner disposes it.</returns>
    /// <exception cref="ArgumentException">The endpoints are of two kinds, or the upstream is the listening endpoint itself.</exception>
    /// <exception cref="NetworkException">The endpoint can't be bound, or the upstream can't be resolved or reached.</exception>
    public static async Task<ImpairProxy> BindAsync(ImpairOptions options, CancellationToken cancellation)
    {
        options.Validate();
        EndPoint[] upstream = await Connector.AddressesAsync(options.Upstream, _resolveTimeout, cancellation).ConfigureAwait(false);

        // What binds a server's sockets binds these; the service is asked for no more than that it speaks the transport.
        DoorOptions listening = new() { Endpoint = options.Listen, Service = ClassicServices.Echo };
        Binding binding = new([listening], null, ListenOptions.Default, ServerModel.Async, []);
        List<DoorSocket> doors = await binding.BindAllAsync(cancellation).ConfigureAwait(false);
        try
        {
            RequireAnother(doors, options.Upstream, upstream[0]);
            return options.Listen.IsStream ? new StreamProxy(options, doors) : new DatagramProxy(options, doors, upstream[0]);
        }
        catch
        {
            doors.ForEach(static door => door.Close());
            throw;
        }
    }

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

    /// <summary>A proxy that is its own upstream would fill itself with the first thing that comes.</summary>
    private static void RequireAnother(List<DoorSocket> doors, Endpoint upstream, EndPoint address)
    {
        if (doors.Any(door => door.Door.Endpoint == upstream || (address is IPEndPoint && door.Socket.LocalEndPoint!.Equals(address))))
        {
            throw new ArgumentException(
                $"ImpairOptions.Upstream is ImpairOptions.Listen itself, {upstream}: name the server that clients mean");
        }
    }
}
