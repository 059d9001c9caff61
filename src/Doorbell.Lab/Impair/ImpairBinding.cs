using System.Net;
using Doorbell.Lab.Impair.Datagrams;
using Doorbell.Lab.Impair.Proxies;
using Doorbell.Lab.Impair.Streams;
using Doorbell.Options;
using Doorbell.Sockets;

namespace Doorbell.Lab.Impair;

/// <summary>Makes a proxy that is a bad network.</summary>
public static class ImpairBinding
{
    private static readonly TimeSpan _resolveTimeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Binds the listening endpoint and looks for the upstream. Nothing is carried before <see cref="ImpairProxy.RunAsync"/>.
    /// </summary>
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
        Binding binding = new([listening], ListenOptions.Default, ServerModel.Async, []);
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
