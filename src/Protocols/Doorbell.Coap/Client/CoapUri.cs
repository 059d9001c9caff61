using System.Diagnostics.CodeAnalysis;
using System.Text;
using Doorbell.Coap.Client;
using Doorbell.Coap.Codec;

namespace Doorbell.Coap;

/// <summary>
/// A resource of a CoAP server: <c>coap://host:port/path?argument&amp;argument</c> (RFC 7252 section 6.1), or <c>coap+tcp://</c> and the
/// same (RFC 8323 section 8.1). Without a port it is 5683.
/// The URI is taken apart before its parts are decoded (section 6.4), so <c>/a/%2F</c> has two segments. Segments <c>.</c> and <c>..</c>
/// are resolved. An empty segment counts. Characters outside of ASCII may stand as they are, as in an IRI (RFC 3987).
/// </summary>
public sealed record CoapUri
{
    private const string Separator = "://";
    private const string Datagrams = "coap";
    private const string Streams = "coap+tcp";

    private CoapUri(Endpoint endpoint, CoapPath path, IReadOnlyList<string> query)
    {
        Endpoint = endpoint;
        Path = path;
        Query = query;
    }

    /// <summary>
    /// The server, a UDP endpoint, or of a <c>coap+tcp://</c> URI a TCP endpoint. Its name is in lower case, and in the form of the DNS if
    /// it has other letters than ASCII's.
    /// </summary>
    public Endpoint Endpoint { get; }

    /// <summary>The resource's path.</summary>
    public CoapPath Path { get; }

    /// <summary>The arguments, decoded.</summary>
    public IReadOnlyList<string> Query { get; }

    /// <summary>Whether the server is a multicast group: 224.0.0.0/4, ff00::/8. Then requests to it are non-confirmable.</summary>
    public bool IsGroup => CoapGroupAddress.Is(Endpoint);

    /// <summary>The server's name as the request tells it (Uri-Host); null if it is an address (RFC 7252 section 6.4, step 5).</summary>
    public string? HostName => Endpoint.Address is not null ? null : Endpoint.Host;

    /// <summary>
    /// Whether a text wants to be such a URI, or one of CoAP's other schemes, which <see cref="TryParse"/> refuses with why.
    /// </summary>
    /// <param name="text">Any text.</param>
    public static bool IsMeant(string text) => IsPlain(text) || WhyNot(text) is not null;

    private static bool IsPlain(string text) => TransportOf(text) is not null;

    private static Transport? TransportOf(string text) => SchemeOf(text) switch
    {
        Datagrams => Transport.Udp,
        Streams => Transport.Tcp,
        _ => null,
    };

    private static string SchemeOf(string text) =>
        text.IndexOf(Separator, StringComparison.Ordinal) is >= 0 and var end ? text[..end].ToLowerInvariant() : "";

    /// <summary>Why a scheme of CoAP's is refused; null if it is none.</summary>
    private static string? WhyNot(string text) => SchemeOf(text) switch
    {
        "coaps" or "coaps+tcp" => "coaps needs DTLS or TLS (RFC 7252 section 9), which Doorbell does not have yet: ask without encryption",
        _ => null,
    };

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
        string? wrong = WhyNot(text) ?? "it must begin with coap:// or coap+tcp://";
        if (TransportOf(text) is { } transport)
        {
            string rest = text[(text.IndexOf(Separator, StringComparison.Ordinal) + Separator.Length)..];
            wrong = CoapUriReader.Read(rest, transport, out Endpoint? endpoint, out CoapPath path, out string[] query);
            uri = wrong is null ? new CoapUri(endpoint!, path, query) : null;
        }

        error = wrong is null ? null : $"\"{Shown(text)}\" is no CoAP URI: {wrong}, as in coap://localhost/capitalize";
        return error is null;
    }

    /// <summary>The server alone, as a URI; its port is left out if it is the default one (RFC 7252 section 6.5, step 5).</summary>
    public string Server
    {
        get
        {
            // Within a URI the percent sign before an interface's name is encoded (RFC 6874 section 2).
            string endpoint = Endpoint.ToString();
            string authority = endpoint[(endpoint.IndexOf(Separator, StringComparison.Ordinal) + Separator.Length)..];
            string server = (Endpoint.IsStream ? Streams : Datagrams) + Separator
                + authority.Replace("%", "%25", StringComparison.Ordinal);
            return Endpoint.Port == CoapUriReader.DefaultPort ? server[..server.LastIndexOf(':')] : server;
        }
    }

    /// <summary>As it is read back (RFC 7252 section 6.5).</summary>
    public override string ToString()
    {
        string query = string.Join('&', Query.Select(CoapPercent.EncodeArgument));
        return $"{Server}{Path}{(Query.Count > 0 ? "?" : "")}{query}";
    }

    /// <summary>Whether both name the same resource by the same parts.</summary>
    /// <param name="other">The other.</param>
    public bool Equals(CoapUri? other) => other is not null
        && Endpoint == other.Endpoint && Path == other.Path && Query.SequenceEqual(other.Query, StringComparer.Ordinal);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Endpoint, Path, Query.Count);

    private static string Shown(string text) => PrintableText.Escape(Encoding.UTF8.GetBytes(text));
}
