using System.Net;

namespace Doorbell.Testing;

/// <content>Streams.</content>
public sealed partial class SimulatedNetwork
{
    private readonly Dictionary<PeerAddress, SimulatedListener> _listeners = new(AddressComparer.Instance);

    /// <summary>Serves streams at an address.</summary>
    /// <param name="address">Not yet listened on.</param>
    /// <param name="service">What to serve.</param>
    /// <param name="options">How many connections; null for the defaults.</param>
    /// <exception cref="ArgumentException">The address is in use, or the service does not speak over streams.</exception>
    public SimulatedListener ListenStream(PeerAddress address, Service service, SimulatedServerOptions? options = null)
    {
        SimulatedListener listener = new(this, address, service, options ?? SimulatedServerOptions.Default);
        _listeners.Add(address, listener);
        return listener;
    }

    /// <summary>Connects a scripted client. Refused if nobody listens.</summary>
    /// <param name="from">The client's address.</param>
    /// <param name="to">The service's.</param>
    public SimulatedClient ConnectStream(PeerAddress from, PeerAddress to)
    {
        Handshake handshake = new(this, from, to);
        handshake.Begin();
        return handshake.Client;
    }

    /// <summary>The address of an endpoint: of a host that has been named, or a literal one; false if there is none.</summary>
    internal bool TryResolve(Endpoint endpoint, out PeerAddress address)
    {
        address = default;
        if (endpoint.IsUnix)
        {
            address = PeerAddress.FromUnix(endpoint.Path);
        }
        else if (IPAddress.TryParse(endpoint.Host, out IPAddress? literal))
        {
            address = PeerAddress.From(new IPEndPoint(literal, endpoint.Port));
        }
        else if (_hosts.TryFind(endpoint.Host!, out SimulatedHost? host))
        {
            address = host.At((ushort)endpoint.Port);
        }
        else
        {
            return false;
        }

        return true;
    }

    internal SimulatedListener? ListenerAt(PeerAddress address) => _listeners.GetValueOrDefault(address);

    internal void StopListening(PeerAddress address) => _listeners.Remove(address);
}
