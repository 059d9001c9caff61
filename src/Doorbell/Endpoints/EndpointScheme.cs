namespace Doorbell;

/// <summary>The schemes of endpoints, and which of them someone meant who wrote another.</summary>
internal static class EndpointScheme
{
    /// <summary>What a coap endpoint has that tells no port (RFC 7252 section 6.1).</summary>
    public const int CoapPort = 5683;

    private static readonly string[] _known = ["tcp", "udp", "coap", "unix", "unix+dgram", "fd"];

    public static Transport? Find(string scheme) => scheme.ToLowerInvariant() switch
    {
        "tcp" => Transport.Tcp,
        "udp" => Transport.Udp,
        "coap" => Transport.Coap,
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
        Transport.Coap => "coap",
        Transport.Unix => "unix",
        Transport.UnixDatagram => "unix+dgram",
        _ => "fd",
    };

    /// <summary>One line that lists the schemes and tries the nearest.</summary>
    public static string Explain(string wrong)
    {
        string shown = wrong.Length == 0 ? "nothing" : $"\"{PeerText.Escape(wrong)}\"";
        return $"the scheme must be {string.Join(", ", _known[..^1])} or {_known[^1]}, not {shown}: try {Example(Nearest(wrong))}";
    }

    private static string Example(string scheme) => scheme switch
    {
        "fd" => "fd://3",
        "coap" => $"coap://localhost:{CoapPort}",
        ['u', 'n', 'i', 'x', ..] => $"{scheme}:///run/door",
        _ => $"{scheme}://localhost:6789",
    };

    private static string Nearest(string wrong) => wrong.ToLowerInvariant() switch
    {
        "tcp4" or "tcp6" or "http" or "https" or "ws" or "wss" or "tls" or "ssl" or "telnet" or "stream" => "tcp",
        "udp4" or "udp6" or "dgram" or "datagram" or "quic" or "dns" => "udp",
        "coaps" or "coap+tcp" or "coap+ws" => "coap",
        "local" or "uds" or "ipc" or "file" => "unix",
        "unixgram" or "unix-dgram" or "unixdgram" or "unix_dgram" or "unixpacket" => "unix+dgram",
        var other => _known.MinBy(known => Distance(known, other.Length > 20 ? other[..20] : other))!,
    };

    /// <summary>How many letters to put in, take out or change (Levenshtein), a row of the table at a time.</summary>
    public static int Distance(string from, string to)
    {
        int[] row = [.. Enumerable.Range(0, to.Length + 1)];
        foreach (char letter in from)
        {
            int diagonal = row[0]++;
            for (int i = 1; i <= to.Length; i++)
            {
                int change = diagonal + (letter == to[i - 1] ? 0 : 1);
                diagonal = row[i];
                row[i] = Math.Min(change, 1 + Math.Min(row[i], row[i - 1]));
            }
        }

        return row[^1];
    }
}
