using Doorbell.Coap.Client;
using Doorbell.Coap.Server;

namespace Doorbell.Coap;

/// <summary>
/// Services that are asked by CoAP, to be served at UDP endpoints (RFC 7252) and at TCP endpoints (RFC 8323). What has its effect at most
/// once over datagrams has it at most once over a stream anyway; a resource that is slow is answered there as any other.
/// </summary>
public static class CoapService
{
    /// <summary>coap://, which goes over UDP and has port 5683 if none is told (RFC 7252 section 6.1).</summary>
    public static ApplicationScheme Scheme { get; } = new("coap", Transport.Udp, CoapUriReader.DefaultPort);

    /// <summary>coap+tcp://, which goes over TCP and has port 5683 if none is told (RFC 8323 section 8.1).</summary>
    public static ApplicationScheme TcpScheme { get; } = new("coap+tcp", Transport.Tcp, CoapUriReader.DefaultPort);

    /// <summary>A datagram service as one resource, whose path is the service's name; each socket has the default limits.</summary>
    /// <param name="service">A service that speaks in datagrams.</param>
    /// <exception cref="ArgumentException">The service does not speak in datagrams.</exception>
    public static Service From(Service service) => From(service, CoapServerLimits.Default);

    /// <summary>A datagram service as one resource, whose path is the service's name.</summary>
    /// <param name="service">A service that speaks in datagrams.</param>
    /// <param name="limits">The limits of each socket.</param>
    /// <exception cref="ArgumentException">The service does not speak in datagrams.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A limit makes no sense.</exception>
    public static Service From(Service service, CoapServerLimits limits) =>
        From(service.Name, new Dictionary<string, CoapResource> { [service.Name] = CoapResource.From(service) }, limits);

    /// <summary>Several resources; each socket has the default limits.</summary>
    /// <param name="name">A short name for logs.</param>
    /// <param name="resources">The resources by their paths, as in <c>lamps/1</c>.</param>
    public static Service From(string name, IReadOnlyDictionary<string, CoapResource> resources) =>
        From(name, resources, CoapServerLimits.Default);

    /// <summary>Several resources.</summary>
    /// <param name="name">A short name for logs.</param>
    /// <param name="resources">The resources by their paths, as in <c>lamps/1</c>.</param>
    /// <param name="limits">The limits of each socket.</param>
    /// <exception cref="ArgumentOutOfRangeException">A limit makes no sense.</exception>
    public static Service From(string name, IReadOnlyDictionary<string, CoapResource> resources, CoapServerLimits limits)
    {
        limits.Validate();
        CoapStreamResources shared = new(resources, limits);
        return new Service(name)
        {
            NewStreamHandler = _ => new CoapStreamHandler(shared),
            StreamLimits = StreamLimitsFor(limits),
            NewDatagramHandler = socket => NewHandler(socket, resources, limits),
            Counters = CoapServerCounts.CountersFor(limits),
            NeedsOneProcess = true,
        };
    }

    /// <summary>A message of the largest size has to fit, and an answer of it.</summary>
    private static StreamLimits StreamLimitsFor(CoapServerLimits limits)
    {
        StreamLimits usual = StreamLimits.Default;
        int largest = limits.MaxStreamMessageBytes;
        return usual with
        {
            MaxMessageBytes = Math.Max(usual.MaxMessageBytes, largest),
            MaxPendingOutput = (int)Math.Min(int.MaxValue, Math.Max(usual.MaxPendingOutput, usual.OutputHighMark + (2L * largest))),
        };
    }

    private static CoapHandler NewHandler(
        DatagramSocketInfo socket, IReadOnlyDictionary<string, CoapResource> resources, CoapServerLimits limits)
    {
        CoapServer server = new(limits, socket);
        foreach ((string path, CoapResource resource) in resources)
        {
            server.Add(path, resource);
        }

        return new CoapHandler(server);
    }
}
