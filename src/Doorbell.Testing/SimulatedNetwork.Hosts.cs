using Doorbell.Links;

namespace Doorbell.Testing;

/// <content>Hosts, the links between them, and datagrams.</content>
public sealed partial class SimulatedNetwork
{
    private readonly HostTable _hosts = new();

    /// <summary>
    /// How bad the links are that were given no <see cref="SimulatedLink.Options"/> of their own; may be changed during the run.
    /// Default: all arrives in order, after a tenth of a millisecond to two.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Options that make no sense.</exception>
    public LinkOptions DefaultLink
    {
        get;
        set
        {
            value.Validate();
            field = value;
        }
    } = new() { Delay = TimeSpan.FromMicroseconds(1050), Jitter = TimeSpan.FromMicroseconds(950) };

    internal DatagramCarrier Datagrams { get; }

    /// <summary>The host of a name: new when asked for first, at 10.0.0.1 and on.</summary>
    /// <param name="name">Any.</param>
    /// <exception cref="InvalidOperationException">There are 100,000 hosts already.</exception>
    public SimulatedHost Host(string name) => _hosts.Find(name);

    /// <summary>The host of an address: new when asked for first.</summary>
    /// <param name="address">Its port is of no account.</param>
    /// <exception cref="InvalidOperationException">There are 100,000 hosts already.</exception>
    public SimulatedHost Host(PeerAddress address) => _hosts.Find(address);

    /// <summary>The way from one host to another, which may be the same.</summary>
    /// <param name="from">Where it begins.</param>
    /// <param name="to">Where it ends.</param>
    public SimulatedLink Link(SimulatedHost from, SimulatedHost to) => from.LinkTo(to, this);

    /// <summary>
    /// From now on neither host reaches the other; what would arrive meanwhile is lost. Nobody is told: datagrams are just gone, and
    /// streams send again until it is healed or they give up.
    /// </summary>
    /// <param name="one">One.</param>
    /// <param name="other">The other.</param>
    public void Partition(SimulatedHost one, SimulatedHost other) => Link(one, other).IsCut = Link(other, one).IsCut = true;

    /// <summary>Undoes <see cref="Partition"/>.</summary>
    /// <param name="one">One.</param>
    /// <param name="other">The other.</param>
    public void Heal(SimulatedHost one, SimulatedHost other) => Link(one, other).IsCut = Link(other, one).IsCut = false;

    /// <summary>Serves datagrams at an address.</summary>
    /// <param name="address">Not yet bound.</param>
    /// <param name="service">What to serve.</param>
    /// <exception cref="ArgumentException">The address is in use, or the service does not speak in datagrams.</exception>
    public SimulatedDatagramServer BindDatagram(PeerAddress address, Service service) => new(this, address, service);

    /// <summary>Connects a datagram socket to one peer, for a handler that asks.</summary>
    /// <param name="from">The client's address, not yet bound.</param>
    /// <param name="to">The peer's address.</param>
    /// <param name="newHandler">Makes the socket's handler.</param>
    /// <exception cref="ArgumentException">The client's address is in use.</exception>
    public SimulatedDatagramConnection ConnectDatagram(
        PeerAddress from, PeerAddress to, Func<DatagramSocketInfo, DatagramHandler> newHandler) => new(this, from, to, newHandler);

    /// <summary>Binds a datagram socket for a scripted peer or a pure state machine.</summary>
    /// <param name="address">Not yet bound.</param>
    /// <param name="receiver">Takes what arrives; what it throws ends the run.</param>
    /// <exception cref="ArgumentException">The address is in use.</exception>
    public SimulatedDatagramSocket BindDatagram(PeerAddress address, DatagramReceiver receiver) => Datagrams.Bind(address, receiver);
}
