namespace Doorbell.Testing;

/// <summary>
/// A datagram socket on a <see cref="SimulatedNetwork"/>, for a scripted peer or a protocol that is a pure state machine: datagrams and
/// alarms in, datagrams and the next alarm out.
/// </summary>
public sealed class SimulatedDatagramSocket
{
    private readonly SimulatedNetwork _network;
    private readonly SimulatedHost _host;
    private readonly VirtualTimer _alarm;
    private PeerAddress _lastTo;
    private SimulatedLink? _lastLink;

    internal SimulatedDatagramSocket(SimulatedNetwork network, PeerAddress address, DatagramReceiver receiver)
    {
        _network = network;
        _host = network.Host(address);
        _alarm = new VirtualTimer(network, () => AlarmDue?.Invoke());
        Address = address;
        Receiver = receiver;
    }

    /// <summary>Where it is bound.</summary>
    public PeerAddress Address { get; }

    /// <summary>
    /// When <see cref="AlarmDue"/> is to be called, on <see cref="SimulatedNetwork.Now"/>'s scale; null for never, and once it was. Setting
    /// it anew costs next to nothing.
    /// </summary>
    public TimeSpan? Alarm
    {
        get => _alarm.At == TimeSpan.MaxValue ? null : _alarm.At;
        set => _alarm.At = value ?? TimeSpan.MaxValue;
    }

    /// <summary>Called when the <see cref="Alarm"/> is due.</summary>
    public Action? AlarmDue { get; set; }

    internal DatagramReceiver Receiver { get; }

    /// <summary>Called when a datagram sent earlier came where nobody is bound; null if the socket is not connected.</summary>
    internal Action? Unreachable { get; set; }

    /// <summary>Sends a datagram: it arrives, late, twice, damaged or never, as the link between the two hosts says.</summary>
    /// <param name="to">Where to. If nothing is bound there, nobody hears of it.</param>
    /// <param name="bytes">Copied; may be empty.</param>
    /// <exception cref="ArgumentOutOfRangeException">More than UDP can carry: 65,507 bytes over IPv4, 65,527 over IPv6.</exception>
    /// <exception cref="InvalidOperationException">A million events are pending already.</exception>
    public void Send(PeerAddress to, ReadOnlySpan<byte> bytes)
    {
        if (_lastLink is null || to != _lastTo)
        {
            _lastLink = _host.LinkTo(_network.Host(to), _network);
            _lastTo = to;
        }

        _network.Datagrams.Send(_lastLink, Address, to, bytes);
    }

    /// <summary>Unbinds it: what arrives from now on is lost, the alarm too. It may still send.</summary>
    public void Close()
    {
        _network.Datagrams.Unbind(this);
        Alarm = null;
    }
}
