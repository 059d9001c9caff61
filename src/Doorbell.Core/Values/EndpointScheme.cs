namespace Doorbell;

/// <summary>The schemes of endpoints, and which of them someone meant who wrote another.</summary>
internal static class EndpointScheme
{
    private static readonly string[] _transports = ["tcp", "udp", "unix", "unix+dgram", "fd"];

    public static Transport? Find(string scheme) => scheme.ToLowerInvariant() switch
    {
        "tcp" => Transport.Tcp,
        "udp" => Transport.Udp,
        "unix" => Transport.Unix,
        "unix+dgram" => Transport.UnixDatagram,
        "fd" => Transport.Passed,
        _ => null,
    };

    /// <summary>As it is written.</summary>
    public static string NameOf(Transport transport) => transport switch
    {
        Transport.Tcp => "tcp",
        Transport.Udp => "udp",
        Transport.Unix => "unix",
        Transport.UnixDatagram => "unix+dgram",
        _ => "fd",
    };

    /// <summary>One line that lists the schemes and tries the nearest.</summary>
    public static string Explain(string wrong, IReadOnlyList<ApplicationScheme> schemes)
    {
        // As one who knows the transports would list them: a protocol stands behind the transport that carries it.
        string[] known = [.. _transports[..2], .. schemes.Select(static scheme => scheme.Name), .. _transports[2..]];
        string shown = wrong.Length == 0 ? "nothing" : $"\"{PrintableText.Escape(wrong)}\"";
        string all = $"{string.Join(", ", known[..^1])} or {known[^1]}";
        return $"the scheme must be {all}, not {shown}: try {Example(Nearest(wrong, known), schemes)}";
    }

    public static string Example(string scheme, IReadOnlyList<ApplicationScheme> schemes) => scheme switch
    {
        "fd" => "fd://3",
        ['u', 'n', 'i', 'x', ..] => $"{scheme}:///run/door",
        _ => $"{scheme}://localhost:{schemes.FirstOrDefault(application => application.Name == scheme)?.DefaultPort ?? 6789}",
    };

    private static string Nearest(string wrong, string[] known) => wrong.ToLowerInvariant() switch
    {
        "tcp4" or "tcp6" or "http" or "https" or "ws" or "wss" or "tls" or "ssl" or "telnet" or "stream" => "tcp",
        "udp4" or "udp6" or "dgram" or "datagram" or "quic" or "dns" => "udp",
        "local" or "uds" or "ipc" or "file" => "unix",
        "unixgram" or "unix-dgram" or "unixdgram" or "unix_dgram" or "unixpacket" => "unix+dgram",
        var longer when known[2..].FirstOrDefault(scheme => longer.StartsWith(scheme, StringComparison.Ordinal)) is { } shorter => shorter,
        var other => known.MinBy(scheme => NearName.Distance(scheme, other.Length > 20 ? other[..20] : other))!,
    };
}
