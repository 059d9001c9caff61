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

    internal SimulatedListener? ListenerAt(PeerAddress address) => _listeners.GetValueOrDefault(address);

    internal void StopListening(PeerAddress address) => _listeners.Remove(address);
}
