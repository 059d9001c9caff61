using Doorbell.Links;

namespace Doorbell.Testing;

/// <summary>The datagram sockets of a network, and the datagrams on their way.</summary>
internal sealed class DatagramCarrier(SimulatedNetwork network)
{
    private const int MaxBytes = 65_507;
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

    public void Unbind(SimulatedDatagramSocket socket)
    {
        if (_sockets.GetValueOrDefault(socket.Address) == socket)
        {
            _sockets.Remove(socket.Address);
        }
    }

    public void Send(SimulatedLink link, PeerAddress from, PeerAddress to, ReadOnlySpan<byte> bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, MaxBytes, nameof(bytes));
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
        if (!flight.Link.IsCut && _sockets.TryGetValue(flight.To, out SimulatedDatagramSocket? socket))
        {
            network.Trace(flight.Bytes);
            socket.Receiver(flight.Bytes, flight.From, network.Now);
        }

        flight.Land();
        _free.Push(flight);
    }

    private void Fly(in LinkFate fate, TimeSpan at, SimulatedLink link, PeerAddress from, PeerAddress to, ReadOnlySpan<byte> bytes)
    {
        DatagramFlight flight = _free.TryPop(out DatagramFlight? free) ? free : new DatagramFlight(this);
        flight.Start(link, from, to, bytes);
        fate.Apply(flight.Bytes);
        network.At(at, flight, 0);
    }
}
