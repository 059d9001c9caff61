using System.Globalization;
using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Client;

/// <summary>
/// Takes a CoAP URI apart (RFC 7252 section 6.4): what separates the parts is looked for first, and each part is decoded by itself.
/// </summary>
internal static class CoapUriReader
{
    /// <summary>The port of a URI that tells none (RFC 7252 section 6.1).</summary>
    public const int DefaultPort = 5683;

    private static readonly IdnMapping _domainNames = new();

    /// <summary>Reads what stands behind <c>coap://</c> or <c>coap+tcp://</c>.</summary>
    /// <returns>What is wrong with it, or null.</returns>
    public static string? Read(
        string text, Transport transport, out Endpoint? endpoint, out CoapPath path, out string[] query)
    {
        endpoint = null;
        path = CoapPath.Root;
        query = [];
        if (text.Contains('#'))
        {
            return "a CoAP URI has no fragment (\"#\", RFC 7252 section 6.4)";
        }

        int end = text.IndexOfAny(['/', '?']);
        string resource = end < 0 ? "" : text[end..];
        int question = resource.IndexOf('?');
        return ReadServer(end < 0 ? text : text[..end], transport, out endpoint)
            ?? ReadPath(question < 0 ? resource : resource[..question], out path)
            ?? DecodeAll(question < 0 ? [] : resource[(question + 1)..].Split('&'), out query);
    }

    /// <summary>An empty port is the default one (RFC 3986 section 6.2.3); an empty host is none (RFC 7252 section 6.1).</summary>
    private static string? ReadServer(string authority, Transport transport, out Endpoint? endpoint)
    {
        endpoint = null;
        int colon = authority.LastIndexOf(':');
        bool hasColon = colon >= 0 && colon > authority.LastIndexOf(']');
        string host = hasColon ? authority[..colon] : authority;
        string port = hasColon ? authority[(colon + 1)..] : "";
        if (host.Length == 0)
        {
            return "the host is missing";
        }

        if (host.Contains('@'))
        {
            return "a CoAP URI names no user (\"@\", RFC 7252 section 6.1)";
        }

        if (ReadHost(ref host) is { } wrongHost)
        {
            return wrongHost;
        }

        string defaultPort = DefaultPort.ToString(CultureInfo.InvariantCulture);
        string scheme = transport == Transport.Tcp ? "tcp" : "udp";
        string server = $"{scheme}://{host}:{(port.Length == 0 ? defaultPort : port)}";
        return Endpoint.TryParse(server, out endpoint, out string? wrong) ? null : wrong;
    }

    private static string? ReadHost(ref string host)
    {
        if (host.StartsWith('['))
        {
            host = host.Replace("%25", "%", StringComparison.Ordinal);
            return null;
        }

        if (!CoapPercent.TryDecode(host, out string? name, out string? error))
        {
            return error;
        }

        host = name.ToLowerInvariant();
        if (host.All(char.IsAscii))
        {
            return null;
        }

        try
        {
            host = _domainNames.GetAscii(host);
            return null;
        }
        catch (ArgumentException)
        {
            return $"\"{PrintableText.Escape(host)}\" is no name that the DNS could have";
        }
    }

    private static string? ReadPath(string text, out CoapPath path)
    {
        path = CoapPath.Root;
        if (text is "" or "/")
        {
            return null;
        }

        if (DecodeAll(text[1..].Split('/'), out string[] segments) is { } wrong)
        {
            return wrong;
        }

        string[] resolved = WithoutDots(segments);
        path = resolved is [""] ? CoapPath.Root : CoapPath.Of(resolved);
        return null;
    }

    /// <summary>
    /// Resolves <c>.</c> and <c>..</c> (RFC 3986 section 5.2.4). An encoded dot is a dot (section 6.2.2.2), and no Uri-Path option may be
    /// one of the two (RFC 7252 section 5.10.1).
    /// </summary>
    private static string[] WithoutDots(string[] segments)
    {
        List<string> kept = [];
        for (int i = 0; i < segments.Length; i++)
        {
            bool isLast = i == segments.Length - 1;
            if (segments[i] is not ("." or ".."))
            {
                kept.Add(segments[i]);
                continue;
            }

            if (segments[i] == ".." && kept.Count > 0)
            {
                kept.RemoveAt(kept.Count - 1);
            }

            if (isLast)
            {
                kept.Add("");
            }
        }

        return [.. kept];
    }

    private static string? DecodeAll(string[] parts, out string[] decoded)
    {
        decoded = new string[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            if (!CoapPercent.TryDecode(parts[i], out string? part, out string? error))
            {
                return error;
            }

            decoded[i] = part;
        }

        return null;
    }
}
