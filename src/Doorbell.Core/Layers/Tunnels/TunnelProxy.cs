using System.Diagnostics.CodeAnalysis;
using System.Text;
using Doorbell.Sessions;

namespace Doorbell;

/// <summary>By which protocol a <see cref="TunnelProxy"/> is asked for a connection.</summary>
public enum TunnelProxyKind
{
    /// <summary>SOCKS 5 (RFC 1928), perhaps with a user name and a password (RFC 1929).</summary>
    Socks5,

    /// <summary>HTTP's CONNECT (RFC 9110 section 9.3.6), perhaps with a user name and a password (RFC 7617).</summary>
    Http,
}

/// <summary>
/// A proxy through which a connection is made: <c>socks5://host:port</c> or <c>http://host:port</c>, perhaps with <c>user:password@</c>
/// before the host. The proxy resolves the name of the server. What goes through it, the password too, is in the clear.
/// </summary>
public sealed record TunnelProxy
{
    /// <summary>RFC 1929 section 2 has one byte for each length.</summary>
    private const int MaxSecretBytes = 255;

    private TunnelProxy(TunnelProxyKind kind, Endpoint endpoint, string? user, string? password)
    {
        Kind = kind;
        Endpoint = endpoint;
        User = user;
        Password = password;
    }

    /// <summary>Its protocol.</summary>
    public TunnelProxyKind Kind { get; }

    /// <summary>Where it is: a TCP endpoint.</summary>
    public Endpoint Endpoint { get; }

    /// <summary>The user name; null if none is given.</summary>
    public string? User { get; }

    /// <summary>The password; null if no user name is given.</summary>
    public string? Password { get; }

    /// <summary>Reads a proxy.</summary>
    /// <param name="text">As above. In a user name and a password, %40 is @, and so on (RFC 3986 section 2.1).</param>
    /// <exception cref="FormatException">It is none; the message is one line that says what is wrong and what would be right.</exception>
    public static TunnelProxy Parse(string text) =>
        TryParse(text, out TunnelProxy? proxy, out string? error) ? proxy : throw new FormatException(error);

    /// <summary>Reads a proxy.</summary>
    /// <param name="text">As above.</param>
    /// <param name="proxy">The proxy, if it is one.</param>
    /// <param name="error">Otherwise one line that says what is wrong and what would be right. It has no password in it.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out TunnelProxy? proxy, [NotNullWhen(false)] out string? error)
    {
        proxy = null;
        string[] parts = (text ?? "").Split("://", 2);
        TunnelProxyKind? kind = parts[0].ToLowerInvariant() switch
        {
            "socks5" or "socks5h" => TunnelProxyKind.Socks5,
            "http" => TunnelProxyKind.Http,
            _ => null,
        };
        if (kind is null || parts.Length < 2)
        {
            error = "a proxy is socks5://host:port or http://host:port, as in socks5://localhost:1080, perhaps with user:password@ before "
                + "the host";
            return false;
        }

        int at = parts[1].LastIndexOf('@');
        string[] secrets = at < 0 ? [] : [.. parts[1][..at].Split(':', 2).Select(Uri.UnescapeDataString)];
        if (secrets.Any(static secret => Encoding.UTF8.GetByteCount(secret) is 0 or > MaxSecretBytes || secret.Any(char.IsControl)))
        {
            error = "a proxy's user name and password have 1 to 255 bytes each and no control characters, as in "
                + "socks5://user:password@localhost:1080";
            return false;
        }

        if (kind == TunnelProxyKind.Http && at >= 0 && secrets[0].Contains(':', StringComparison.Ordinal))
        {
            error = "a user name that HTTP's Basic takes has no colon in it (RFC 7617 section 2): give another one";
            return false;
        }

        if (!Endpoint.TryParse($"tcp://{parts[1][(at + 1)..]}", out Endpoint? endpoint, out string? wrong))
        {
            error = $"where the proxy is: {wrong}";
            return false;
        }

        if (endpoint.Host == "*" || endpoint.Port == 0)
        {
            error = $"{endpoint} is a place to listen, not where a proxy is: name its host and its port";
            return false;
        }

        proxy = new TunnelProxy(kind.Value, endpoint, secrets.Length > 0 ? secrets[0] : null, secrets.Length == 0 ? null
            : secrets.Length > 1 ? secrets[1] : "");
        error = null;
        return true;
    }

    /// <summary>As it was given, without the user name and the password.</summary>
    public override string ToString() => $"{(Kind == TunnelProxyKind.Http ? "http" : "socks5")}{Endpoint.ToString()[3..]}";

    /// <summary>Refuses what no proxy connects to.</summary>
    /// <param name="via">The proxies, in the order in which they are asked.</param>
    /// <param name="target">What the last one is to connect to.</param>
    /// <exception cref="ArgumentException">It is no TCP server's endpoint.</exception>
    internal static void Validate(IReadOnlyList<TunnelProxy> via, Endpoint target)
    {
        if (via.Count > 0 && (target.Transport != Transport.Tcp || target.Host == "*" || target.Port == 0))
        {
            throw new ArgumentException($"A proxy connects to TCP servers alone, by host and port, and {target} is none.");
        }
    }

    /// <summary>What asks each proxy for the next one, and the last one for the target.</summary>
    internal static IReadOnlyList<TunnelLayer> LayersOf(IReadOnlyList<TunnelProxy> via, Endpoint target) =>
        [.. via.Select((proxy, i) => proxy.NewLayer(i + 1 < via.Count ? via[i + 1].Endpoint : target))];

    private TunnelLayer NewLayer(Endpoint target) =>
        Kind == TunnelProxyKind.Http ? new HttpTunnelLayer(this, target) : new SocksTunnelLayer(this, target);
}
