using System.Net;

namespace Doorbell.Cli.Ends;

/// <summary>A peer of datagrams, or a group's or a broadcast address.</summary>
internal sealed class DatagramTarget(Endpoint endpoint) : EndTarget(endpoint.ToString())
{
    public Endpoint Endpoint => endpoint;

    public override async Task<OpenEnd> OpenAsync(EndOpening opening, CancellationToken cancellation)
    {
        EndPoint[] addresses = await Connector.AddressesAsync(endpoint, opening.Timeout, cancellation);
        return new FramedEnd(Name, new FramedDatagrams(new SocketDatagrams(endpoint, addresses), opening.Framing!));
    }
}
