using Doorbell.Coap;

namespace Doorbell.Cli.Arguments;

/// <summary>A service and where it is served.</summary>
/// <param name="Service">What, at endpoints that are not CoAP's.</param>
/// <param name="Endpoints">Where; none for the sockets of socket activation.</param>
internal sealed record Served(Service Service, IReadOnlyList<Endpoint> Endpoints)
{
    /// <summary>What is offered at <c>coap://</c> and <c>coap+tcp://</c> endpoints, by path.</summary>
    public required IReadOnlyDictionary<string, CoapResource> Resources { get; init; }

    /// <summary>Who may come in at these endpoints.</summary>
    public AccessList Access { get; init; } = AccessList.Everyone;

    /// <summary>What is asked of their sockets' files.</summary>
    public SocketFileOptions SocketFile { get; init; } = SocketFileOptions.Default;

    /// <summary>The bounds of these endpoints alone.</summary>
    public DoorLimits Limits { get; init; } = DoorLimits.None;

    /// <summary>Changes the limits of each CoAP socket.</summary>
    public Func<CoapServerLimits, CoapServerLimits> CoapLimits { get; init; } = static limits => limits;

    /// <summary>A service that was named: at a CoAP endpoint it is offered alone.</summary>
    public static Served Named(Service service, IReadOnlyList<Endpoint> endpoints) =>
        new(service, endpoints) { Resources = ResourcesOf([service]) };

    /// <summary>Those of the services that can be asked by CoAP, each at its name.</summary>
    public static IReadOnlyDictionary<string, CoapResource> ResourcesOf(IEnumerable<Service> services) => services
        .Where(static service => service.NewDatagramHandler is not null).DistinctBy(static service => service.Name)
        .ToDictionary(static service => service.Name, ResourceOf);

    /// <summary>A clock changes by itself, each second, and can be observed.</summary>
    private static CoapResource ResourceOf(Service service) => CoapResource.From(service) with
    {
        ChangesEvery = service == ClassicServices.Time || service == ClassicServices.Daytime ? TimeSpan.FromSeconds(1) : null,
    };

    /// <summary>As the server has it.</summary>
    /// <param name="coap">Of each CoAP socket.</param>
    /// <exception cref="ArgumentException">The service can't be asked by CoAP.</exception>
    public IEnumerable<DoorOptions> Doors(CoapServerLimits coap)
    {
        Service? resources = null;
        foreach (Endpoint endpoint in Endpoints)
        {
            bool isCoap = CoapEndpoint.Is(endpoint);
            if (isCoap && Resources.Count == 0)
            {
                throw new ArgumentException($"The service {Service.Name} does not speak CoAP, so it can't be served on {endpoint}.");
            }

            resources ??= isCoap ? CoapService.From(Service.Name, Resources, CoapLimits(coap)) : null;
            yield return new DoorOptions
            {
                Endpoint = endpoint, Service = isCoap ? resources! : Service, Access = Access, Limits = Limits,
                SocketFile = SocketFile,
            };
        }
    }
}
