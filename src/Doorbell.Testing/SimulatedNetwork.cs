using System.Buffers.Binary;
using System.Net;
using Doorbell.Links;

namespace Doorbell.Testing;

/// <summary>
/// A network in memory and in virtual time: streams and datagrams between services, scripted peers and pure state machines. The seed
/// decides how streams are cut, how long what is sent travels, what is lost and what happens first, so the same seed and the same script
/// give the same run. One thread uses it.
/// </summary>
public sealed class SimulatedNetwork
{
    private const int MaxPending = 1_000_000;
    private readonly Dictionary<PeerAddress, SimulatedListener> _listeners = new(AddressComparer.Instance);
    private readonly HostTable _hosts = new();

    /// <summary>Time must move on after so many events, or something sets itself off again and again.</summary>
    private const int MaxAtOneMoment = 10_000_000;
    private readonly EventQueue _events = new();
    private readonly SeededRandom _random;
    private int _atThisMoment;

    /// <summary>An empty network at time 0.</summary>
    /// <param name="seed">Decides what chance would.</param>
    public SimulatedNetwork(ulong seed)
    {
        Seed = seed;
        _random = new SeededRandom(seed);
        Random = new SeededRandom(_random.NextUInt64());
        Datagrams = new DatagramCarrier(this);
    }

    /// <summary>What its chances come from.</summary>
    public ulong Seed { get; }

    /// <summary>Chance for the script, from the same seed; the network's own is apart from it.</summary>
    public Random Random { get; }

    /// <summary>Virtual time since the network was made.</summary>
    public TimeSpan Now { get; private set; }

    /// <summary>A number made of all that has happened so far: the same after two runs that were the same.</summary>
    public ulong TraceHash { get; private set; } = 14695981039346656037;

    /// <summary>Does something later.</summary>
    /// <param name="wait">From now; not negative.</param>
    /// <param name="action">What.</param>
    /// <exception cref="InvalidOperationException">A million events are pending already.</exception>
    public void After(TimeSpan wait, Action action)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(wait, TimeSpan.Zero);
        At(Now + wait, action, 0);
    }

    /// <summary>Runs until nothing is left to happen, every time-out on the way included.</summary>
    /// <param name="mostEvents">A bound, so that a run that never settles fails the test.</param>
    /// <exception cref="InvalidOperationException">There was always something more to do.</exception>
    public void RunUntilIdle(int mostEvents = 10_000_000)
    {
        for (int i = 0; _events.Count > 0; i++)
        {
            if (i >= mostEvents)
            {
                throw new InvalidOperationException($"The network has not settled after {mostEvents} events.");
            }

            HappenNext();
        }
    }

    /// <summary>Runs what happens until a time, which it then is.</summary>
    /// <param name="time">On <see cref="Now"/>'s scale.</param>
    /// <exception cref="InvalidOperationException">Ten million events have happened at one moment.</exception>
    public void Run(TimeSpan time)
    {
        while (_events.Count > 0 && _events.NextAt <= time)
        {
            HappenNext();
        }

        Now = time > Now ? time : Now;
    }

    /// <summary>Schedules an event.</summary>
    /// <param name="time">Not before now.</param>
    /// <param name="target">An <see cref="IScheduled"/>, or an <see cref="Action"/>.</param>
    /// <param name="what">For the first of these.</param>
    internal void At(TimeSpan time, object target, int what)
    {
        if (_events.Count >= MaxPending)
        {
            throw new InvalidOperationException($"More than {MaxPending} events are pending.");
        }

        _events.Enqueue(time, target, what);
    }

    internal SeededRandom Fork() => new(_random.NextUInt64());

    internal void Trace(long value) => TraceHash = (((TraceHash ^ (ulong)value) * 1099511628211) ^ (ulong)Now.Ticks) * 1099511628211;

    internal void Trace(ReadOnlySpan<byte> bytes)
    {
        Trace(bytes.Length);
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
        {
            Trace(BinaryPrimitives.ReadInt64LittleEndian(bytes));
        }

        foreach (byte value in bytes)
        {
            Trace(value);
        }
    }

    private void HappenNext()
    {
        EventQueue.Entry next = _events.Dequeue();
        TimeSpan at = new(next.At);
        _atThisMoment = at == Now ? _atThisMoment + 1 : 0;
        if (_atThisMoment > MaxAtOneMoment)
        {
            throw new InvalidOperationException($"{MaxAtOneMoment} events have happened at {Now}, and there are always more.");
        }

        Now = at;
        next.Happen();
    }

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
        else if (endpoint.Address is { } literal)
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
