namespace Doorbell.Testing;

/// <summary>A host of a <see cref="SimulatedNetwork"/>: all that has one address, on whatever port.</summary>
public sealed class SimulatedHost
{
    private readonly PeerAddress _address;
    private readonly Dictionary<SimulatedHost, SimulatedLink> _links = [];

    internal SimulatedHost(string name, PeerAddress address)
    {
        Name = name;
        _address = address;
    }

    /// <summary>Its name; one that was not given a name has its address as one.</summary>
    public string Name { get; }

    /// <summary>Its address with a port.</summary>
    /// <param name="port">The port; a unix address has none, and ignores it.</param>
    public PeerAddress At(ushort port) => _address.Kind switch
    {
        AddressKind.IPv4 => PeerAddress.IPv4((uint)_address.Bits, port),
        AddressKind.IPv6 => PeerAddress.IPv6(_address.Bits, port, _address.ScopeId),
        _ => _address,
    };

    /// <summary>Its name.</summary>
    public override string ToString() => Name;

    internal SimulatedLink LinkTo(SimulatedHost other, SimulatedNetwork network)
    {
        if (!_links.TryGetValue(other, out SimulatedLink? link))
        {
            link = new SimulatedLink(network, this, other);
            _links.Add(other, link);
        }

        return link;
    }
}
