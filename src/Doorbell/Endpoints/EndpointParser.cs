using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell;

/// <summary>Reads endpoints, and says of a wrong one what is wrong with it.</summary>
internal static class EndpointParser
{
    /// <summary>sun_path holds 108 bytes on Linux with its NUL (unix(7)).</summary>
    private const int MaxPathBytes = 107;

    public static bool TryParse(string? text, [NotNullWhen(true)] out Endpoint? endpoint, [NotNullWhen(false)] out string? error)
    {
        endpoint = null;
        error = string.IsNullOrWhiteSpace(text)
            ? "an endpoint is empty: give one such as tcp://localhost:6789"
            : Read(text, out endpoint) is { } wrong ? $"\"{PeerText.Escape(text)}\" is no endpoint: {wrong}" : null;
        return error is null;
    }

    /// <summary>An IPv4 address mapped into IPv6 is meant as IPv4: a socket for IPv6 alone can't reach it.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static string? Read(string text, out Endpoint? endpoint)
    {
        endpoint = null;
        int scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme >= 0)
        {
            return ReadUri(text[..scheme], text[(scheme + 3)..], out endpoint);
        }

        if (text.StartsWith("unix:", StringComparison.OrdinalIgnoreCase))
        {
            return ReadPath(Transport.Unix, text["unix:".Length..], out endpoint);
        }

        if (text.StartsWith("unix+dgram:", StringComparison.OrdinalIgnoreCase))
        {
            return ReadPath(Transport.UnixDatagram, text["unix+dgram:".Length..], out endpoint);
        }

        return text.All(char.IsAsciiDigit)
            ? ReadHostAndPort(Transport.Tcp, ":" + text, out endpoint)
            : ReadHostAndPort(Transport.Tcp, text, out endpoint);
    }

    private static string? ReadUri(string scheme, string rest, out Endpoint? endpoint)
    {
        endpoint = null;
        switch (scheme.ToLowerInvariant())
        {
            case "tcp":
                return ReadHostAndPort(Transport.Tcp, rest, out endpoint);
            case "udp":
                return ReadHostAndPort(Transport.Udp, rest, out endpoint);
            case "unix" or "unix+dgram" when !rest.StartsWith('/'):
                return $"an absolute path takes three slashes, as in {scheme}:///run/door; a relative one none, as in {scheme}:door";
            case "unix":
                return ReadPath(Transport.Unix, rest, out endpoint);
            case "unix+dgram":
                return ReadPath(Transport.UnixDatagram, rest, out endpoint);
            default:
                return "the scheme must be tcp, udp, unix or unix+dgram, as in tcp://localhost:6789";
        }
    }

    private static string? ReadPath(Transport transport, string path, out Endpoint? endpoint)
    {
        endpoint = null;
        if (path.Length == 0)
        {
            return "the path is missing, as in unix:///run/door";
        }

        if (path.Contains('\0'))
        {
            return "a path can't hold a NUL";
        }

        int bytes = Encoding.UTF8.GetByteCount(path);
        if (bytes > MaxPathBytes)
        {
            return $"the path has {bytes} bytes and a unix socket's may have {MaxPathBytes} (unix(7)); choose a shorter one";
        }

        endpoint = new Endpoint(transport, null, 0, path);
        return null;
    }

    private static string? ReadHostAndPort(Transport transport, string text, out Endpoint? endpoint)
    {
        endpoint = null;
        text = text.EndsWith('/') ? text[..^1] : text;
        int colon = text.LastIndexOf(':');
        if (colon < 0 || text.EndsWith(']'))
        {
            return "the port is missing, as in tcp://localhost:6789";
        }

        string host = text[..colon];
        if (ReadPort(text[(colon + 1)..], out int port) is { } wrongPort)
        {
            return wrongPort;
        }

        if (ReadHost(ref host) is { } wrongHost)
        {
            return wrongHost;
        }

        endpoint = new Endpoint(transport, host, port, null);
        return null;
    }

    private static string? ReadPort(string text, out int port)
    {
        bool number = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port);
        if (number && port <= ushort.MaxValue)
        {
            return null;
        }

        return text.Length == 0
            ? "the port is missing, as in tcp://localhost:6789"
            : $"\"{PeerText.Escape(text)}\" is no port: a port is a number from 0 to 65535, as in tcp://localhost:6789";
    }

    private static string? ReadHost(ref string host)
    {
        if (host.Length == 0)
        {
            host = "localhost";
            return null;
        }

        if (host.StartsWith('[') && host.EndsWith(']'))
        {
            host = host[1..^1];
            if (!IPAddress.TryParse(host, out IPAddress? address) || address.AddressFamily != AddressFamily.InterNetworkV6)
            {
                return $"\"{PeerText.Escape(host)}\" is no IPv6 address, as in tcp://[::1]:6789";
            }

            host = Plain(address).ToString();
            return null;
        }

        if (host.Contains(':'))
        {
            return "an IPv6 address stands in brackets, as in tcp://[::1]:6789";
        }

        return host == "*" || Uri.CheckHostName(host) is UriHostNameType.Dns or UriHostNameType.IPv4
            ? null
            : $"\"{PeerText.Escape(host)}\" is no host: give a name, an IP address, or * for every interface";
    }
}
