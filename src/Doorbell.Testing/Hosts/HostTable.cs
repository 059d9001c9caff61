namespace Doorbell.Testing;

/// <summary>The hosts, by name and by address.</summary>
internal sealed class HostTable
{
    private const int MaxHosts = 100_000;

    /// <summary>Hosts that are given only a name are at 10.0.0.1 and on.</summary>
    private const uint BeforeFirst = 0x0a000000;

    private readonly Dictionary<string, SimulatedHost> _byName = new(StringComparer.Ordinal);
    private readonly Dictionary<PeerAddress, SimulatedHost> _byAddress = new(AddressComparer.Instance);
    private uint _last = BeforeFirst;

    public bool TryFind(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out SimulatedHost? host) =>
        _byName.TryGetValue(name, out host);

    public SimulatedHost Find(string name)
    {
        if (_byName.TryGetValue(name, out SimulatedHost? host))
        {
            return host;
        }

        PeerAddress free;
        do
        {
            free = PeerAddress.IPv4(++_last, 0);
        }
        while (_byAddress.ContainsKey(free));
        return Add(name, free);
    }

    public SimulatedHost Find(PeerAddress address)
    {
        PeerAddress portless = address.Kind switch
        {
            AddressKind.IPv4 => PeerAddress.IPv4((uint)address.Bits, 0),
            AddressKind.IPv6 => PeerAddress.IPv6(address.Bits, 0, address.ScopeId),
            AddressKind.Unix => address,
            _ => throw new ArgumentException("A host needs an address.", nameof(address)),
        };
        return _byAddress.TryGetValue(portless, out SimulatedHost? host)
            ? host
            : Add(portless.Kind == AddressKind.Unix ? address.ToString() : portless.ToIPEndPoint().Address.ToString(), portless);
    }

    private SimulatedHost Add(string name, PeerAddress address)
    {
        if (_byAddress.Count >= MaxHosts)
        {
            throw new InvalidOperationException($"There are {MaxHosts} hosts already.");
        }

        SimulatedHost host = new(name, address);
        _byName.TryAdd(name, host);
        _byAddress.Add(address, host);
        return host;
    }
}
