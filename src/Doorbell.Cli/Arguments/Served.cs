using Doorbell.Coap;

namespace Doorbell.Cli.Arguments;

/// <summary>A service and where it is served.</summary>
/// <param name="Service">What, at endpoints that are not CoAP's.</param>
/// <param name="Endpoints">Where; none for the sockets of socket activation.</param>
internal sealed record Served(Service Service, IReadOnlyList<Endpoint> Endpoints)
{
    /// <summary>What is offered at <c>coap://</c> endpoints, by path.</summary>
    public required IReadOnlyDictionary<string, CoapResource> Resources { get; init; }

    /// <summary>As the server has it.</summary>
    /// <param name="limits">Of each connection.</param>
    /// <param name="coap">Of each CoAP socket.</param>
    /// <exception cref="ArgumentException">The service can't be asked by CoAP.</exception>
    public IEnumerable<DoorOptions> Doors(Func<StreamLimits, StreamLimits> limits, CoapServerLimits coap)
    {
        Service bounded = Service with { StreamLimits = limits(Service.StreamLimits) };
        Service? resources = null;
        foreach (Endpoint endpoint in Endpoints)
        {
            bool isCoap = endpoint.Application == CoapService.Scheme;
            if (isCoap && Resources.Count == 0)
            {
                throw new ArgumentException($"The service {Service.Name} does not speak CoAP, so it can't be served on {endpoint}.");
            }

            resources ??= isCoap ? CoapService.From(Service.Name, Resources, coap) : null;
            yield return new DoorOptions { Endpoint = endpoint, Service = isCoap ? resources! : bounded };
        }
    }
}
