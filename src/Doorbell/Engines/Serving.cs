using System.Security.Cryptography;
using Microsoft.Extensions.Logging;

namespace Doorbell;

/// <summary>All that an engine needs to know: what to serve, how, and where to count, log and stop.</summary>
/// <param name="Options">What to serve, within which limits.</param>
/// <param name="Model">How.</param>
/// <param name="Admission">Who may come in, over all doors.</param>
/// <param name="Ledger">Where to count.</param>
/// <param name="Stop">When to drain and when to abort.</param>
/// <param name="Log">Where to say what goes wrong.</param>
internal sealed record Serving(ServerOptions Options, ServerModel Model, Admission Admission, Ledger Ledger, Stop Stop, ILogger Log)
{
    private const int EchoKeyBytes = 32;

    /// <summary>What to serve.</summary>
    public Service Service => Options.Service;

    /// <summary>A session for a datagram socket at this door.</summary>
    public DatagramSession NewDatagramSession(Endpoint door) =>
        new(door.Transport == Transport.Coap ? NewCoapHandler() : Service.NewDatagramHandler!(), Service.DatagramLimits, Ledger);

    private CoapHandler NewCoapHandler()
    {
        CoapServer server = new(Service.CoapLimits, new Random(), RandomNumberGenerator.GetBytes(EchoKeyBytes));
        foreach ((string path, CoapResource resource) in Service.CoapResources)
        {
            server.Add(path, resource);
        }

        if (Service.CoapResources.Count == 0)
        {
            server.Add(Service.Name, CoapResource.From(Service));
        }

        return new CoapHandler(server);
    }

    /// <summary>What the system is short of at one listener it is usually short of at every other: said once for all of them.</summary>
    public LogInterval Shortages { get; } = new();
}
