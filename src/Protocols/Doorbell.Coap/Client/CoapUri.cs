using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Doorbell.Coap;

/// <summary>
/// A resource of a CoAP server: <c>coap://host:port/path?argument&amp;argument</c> (RFC 7252 section 6.1). Without a port it is 5683;
/// a host and port are written as in <see cref="Doorbell.Endpoint"/>; percent-encoded characters of path and arguments are decoded.
/// </summary>
public sealed record CoapUri
{
    private const string Prefix = "coap://";
    private const string DefaultPort = "5683";

    private CoapUri(Endpoint endpoint, string path, IReadOnlyList<string> query)
    {
        Endpoint = endpoint;
        Path = path;
        Query = query;
    }

    /// <summary>The server, a UDP endpoint.</summary>
    public Endpoint Endpoint { get; }

    /// <summary>The resource's path, without a slash before it.</summary>
    public string Path { get; }

    /// <summary>The arguments.</summary>
    public IReadOnlyList<string> Query { get; }

    /// <summary>The server's name as the request tells it; null if it is an address or only means this machine.</summary>
    public string? HostName => IPAddress.TryParse(Endpoint.Host, out _) || Endpoint.Host == "localhost" ? null : Endpoint.Host;

    /// <summary>Whether a text wants to be such a URI.</summary>
    /// <param name="text">Any text.</param>
    public static bool IsMeant(string text) => text.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads a URI.</summary>
    /// <param name="text">In the form above.</param>
    /// <exception cref="FormatException">It is none; the message is one line that says what is wrong and what would be right.</exception>
    public static CoapUri Parse(string text) =>
        TryParse(text, out CoapUri? uri, out string? error) ? uri : throw new FormatException(error);

    /// <summary>Reads a URI.</summary>
    /// <param name="text">In the form above.</param>
    /// <param name="uri">The URI, if it is one.</param>
    /// <param name="error">Otherwise one line that says what is wrong and what would be right.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out CoapUri? uri, [NotNullWhen(false)] out string? error)
    {
        uri = null;
        error = IsMeant(text) ? Read(text, out uri) : "it must begin with coap://";
        error = error is null ? null : $"\"{Shown(text)}\" is no CoAP URI: {error}, as in coap://localhost/capitalize";
        return error is null;
    }

    /// <summary>The server alone, as a URI.</summary>
    public string Server => Prefix + Endpoint.ToString()["udp://".Length..];

    /// <summary>As it is read back.</summary>
    public override string ToString()
    {
        string path = string.Join('/', Path.Split('/').Select(Uri.EscapeDataString));
        string query = string.Join('&', Query.Select(Uri.EscapeDataString));
        return $"{Server}/{path}{(Query.Count > 0 ? "?" : "")}{query}";
    }

    private static string? Read(string text, out CoapUri? uri)
    {
        uri = null;
        if (text.Contains('#'))
        {
            return "a CoAP URI has no fragment (\"#\", RFC 7252 section 6.4)";
        }

        string rest = text[Prefix.Length..];
        int end = rest.IndexOfAny(['/', '?']);
        string authority = end < 0 ? rest : rest[..end];
        string resource = end < 0 ? "" : rest[end..];
        int colon = authority.LastIndexOf(':');
        bool hasPort = colon >= 0 && colon > authority.LastIndexOf(']');
        if (!Endpoint.TryParse($"udp://{authority}{(hasPort ? "" : ":" + DefaultPort)}", out Endpoint? endpoint, out string? wrong))
        {
            return wrong;
        }

        int question = resource.IndexOf('?');
        string path = question < 0 ? resource : resource[..question];
        string[] query = question < 0 ? [] : resource[(question + 1)..].Split('&');
        uri = new CoapUri(endpoint, Uri.UnescapeDataString(path.TrimStart('/')), [.. query.Select(Uri.UnescapeDataString)]);
        return null;
    }

    private static string Shown(string text) => PrintableText.Escape(System.Text.Encoding.UTF8.GetBytes(text));
}
