namespace Doorbell;

/// <summary>
/// Where connections may go: a range of addresses and of ports, as <c>10.0.0.0/8</c>, <c>10.0.0.0/8:443</c>, <c>[2001:db8::/32]:80-90</c>,
/// or <c>public</c>, <c>public:443</c> for all addresses that can be reached from everywhere.
/// </summary>
public readonly record struct TargetRange
{
    private const string PublicWord = "public";

    /// <summary>
    /// Not globally reachable, as IANA's registry of special-purpose addresses has it (RFC 6890); and multicast (RFC 5771).
    /// </summary>
    private static readonly AddressRange[] _notPublic =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
        }.Select(AddressRange.Parse),
    ];

    /// <summary>All unicast addresses of IPv6 that are assigned so far (RFC 4291 section 2.4); the rest is local, or embeds IPv4.</summary>
    private static readonly AddressRange _publicIPv6 = AddressRange.Parse("2000::/3");

    private readonly AddressRange? _addresses;
    private readonly ushort _firstPort;
    private readonly ushort _lastPort;

    private TargetRange(AddressRange? addresses, ushort firstPort, ushort lastPort) =>
        (_addresses, _firstPort, _lastPort) = (addresses, firstPort, lastPort);

    /// <summary>Reads a range.</summary>
    /// <param name="text">As above.</param>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static TargetRange Parse(string text)
    {
        (string addresses, string? ports) = Split(text);
        (ushort first, ushort last) = ports is null ? ((ushort)1, ushort.MaxValue) : ParsePorts(ports, text);
        AddressRange? range = addresses == PublicWord ? null : AddressRange.Parse(addresses);
        return range == AddressRange.Unix
            ? throw new FormatException("\"unix\" is no range of targets: write one as 10.0.0.0/8, [2001:db8::/32]:443 or public.")
            : new TargetRange(range, first, last);
    }

    /// <summary>Whether a connection may go to an address.</summary>
    /// <param name="target">The address and port of TCP.</param>
    public bool Contains(PeerAddress target) =>
        target.Port >= _firstPort && target.Port <= _lastPort && (_addresses is { } range ? range.Contains(target) : IsPublic(target));

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    public override string ToString()
    {
        string addresses = _addresses?.ToString() ?? PublicWord;
        string ports = _firstPort == _lastPort ? $"{_firstPort}" : $"{_firstPort}-{_lastPort}";
        return (_firstPort, _lastPort) == (1, ushort.MaxValue) ? addresses
            : addresses.Contains(':', StringComparison.Ordinal) ? $"[{addresses}]:{ports}"
            : $"{addresses}:{ports}";
    }

    private static bool IsPublic(PeerAddress target) =>
        (target.Kind == AddressKind.IPv4 || _publicIPv6.Contains(target))
            && !Array.Exists(_notPublic, range => range.Contains(target));

    private static (string Addresses, string? Ports) Split(string text)
    {
        int bracket = text.StartsWith('[') ? text.IndexOf("]:", StringComparison.Ordinal) : -1;
        if (bracket > 0)
        {
            return (text[1..bracket], text[(bracket + 2)..]);
        }

        int colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon >= 0 && colon == text.LastIndexOf(':') ? (text[..colon], text[(colon + 1)..]) : (text, null);
    }

    private static (ushort First, ushort Last) ParsePorts(string ports, string text)
    {
        int dash = ports.IndexOf('-', StringComparison.Ordinal);
        string first = dash < 0 ? ports : ports[..dash];
        string last = dash < 0 ? ports : ports[(dash + 1)..];
        return WholeNumber.TryParse(first, out int from) && WholeNumber.TryParse(last, out int to)
            && from is > 0 and <= ushort.MaxValue && to <= ushort.MaxValue && from <= to
            ? ((ushort)from, (ushort)to)
            : throw new FormatException(
                $"\"{PrintableText.Escape(text)}\" has no ports behind the colon: "
                    + "write one from 1 to 65535, as :443, or a range, as :80-90.");
    }
}
