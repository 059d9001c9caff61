using Doorbell.Links;

namespace Doorbell.Testing;

/// <summary>The datagram sockets of a network, and the datagrams on their way.</summary>
internal sealed class DatagramCarrier(SimulatedNetwork network)
{
    private readonly Dictionary<PeerAddress, SimulatedDatagramSocket> _sockets = new(AddressComparer.Instance);

    /// <summary>Those that have arrived, for the next to use: no more than were ever on their way at once.</summary>
    private readonly Stack<DatagramFlight> _free = new();

    public SimulatedDatagramSocket Bind(PeerAddress address, DatagramReceiver receiver)
    {
        if (_sockets.ContainsKey(address))
        {
            throw new ArgumentException($"A datagram socket is bound to {address} already.", nameof(address));
        }

        SimulatedDatagramSocket socket = new(network, address, receiver);
        _sockets.Add(address, socket);
        return socket;
    }

    public bool IsBound(PeerAddress address) => _sockets.ContainsKey(address);

    public void Unbind(SimulatedDatagramSocket socket)
    {
        if (_sockets.GetValueOrDefault(socket.Address) == socket)
        {
            _sockets.Remove(socket.Address);
        }
    }

    public void Send(SimulatedLink link, PeerAddress from, PeerAddress to, ReadOnlySpan<byte> bytes)
    {
        int most = to.Kind == AddressKind.IPv4 ? DatagramLimits.MaxIPv4Bytes : DatagramLimits.MaxIPv6Bytes;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, most, nameof(bytes));
        if (link.IsCut)
        {
            return;
        }

        LinkFate fate = link.Next(bytes.Length);
        if (fate.IsDropped)
        {
            return;
        }

        Fly(fate, fate.ArrivesAt, link, from, to, bytes);
        if (fate.CopyArrivesAt is { } copyArrivesAt)
        {
            Fly(fate, copyArrivesAt, link, from, to, bytes);
        }
    }

    /// <summary>It has arrived, unless a partition came between.</summary>
    public void Arrive(DatagramFlight flight)
    {
        if (flight.Link.IsCut)
        {
            // lost
        }
        else if (_sockets.TryGetValue(flight.To, out SimulatedDatagramSocket? socket))
        {
            network.Trace(flight.Bytes);
            socket.Receiver(flight.Bytes, flight.From, network.Now);
        }
        else if (_sockets.TryGetValue(flight.From, out SimulatedDatagramSocket? sender) && sender.Unreachable is { } unreachable)
        {
            Refuse(flight, unreachable);
        }

        flight.Land();
        _free.Push(flight);
    }

    /// <summary>
    /// Nobody is bound there: the host says so by an ICMP message, which may get lost as any other (RFC 1122 section 4.1.3.1).
    /// </summary>
    private void Refuse(DatagramFlight flight, Action unreachable)
    {
        const int IcmpBytes = 36;
        SimulatedLink back = network.Host(flight.To).LinkTo(network.Host(flight.From), network);
        LinkFate fate = back.Next(IcmpBytes);
        if (!back.IsCut && !fate.IsDropped)
        {
            network.At(fate.ArrivesAt, unreachable, 0);
        }
    }

    private void Fly(in LinkFate fate, TimeSpan at, SimulatedLink link, PeerAddress from, PeerAddress to, ReadOnlySpan<byte> bytes)
    {
        DatagramFlight flight = _free.TryPop(out DatagramFlight? free) ? free : new DatagramFlight(this);
        flight.Start(link, from, to, bytes);
        fate.Apply(flight.Bytes);
        network.At(at, flight, 0);
    }
}
