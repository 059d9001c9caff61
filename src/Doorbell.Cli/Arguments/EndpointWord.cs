using System.Net;

namespace Doorbell.Cli.Arguments;

/// <summary>Tells an endpoint from the other words of a command line.</summary>
internal static class EndpointWord
{
    /// <summary>How the endpoints of this machine begin, for shells that complete them.</summary>
    public static IReadOnlyList<string> Beginnings { get; } =
        ["tcp://localhost:", "udp://localhost:", "coap://localhost:", "unix:", "unix+dgram:"];

    /// <summary>Reads an endpoint of the command line or of a file. Its port may be a service's name.</summary>
    /// <param name="text">As it was given.</param>
    /// <param name="schemes">Of the protocols that are known.</param>
    /// <exception cref="FormatException">It is none; the message is one line that says what is wrong and what would be right.</exception>
    public static Endpoint Parse(string text, params IReadOnlyList<ApplicationScheme> schemes) =>
        Endpoint.Parse(ServicePort.WithNumber(text, schemes), schemes);

    /// <summary>
    /// Joins each host to the port behind it, where they are two words as for nc(1): <c>localhost 6789</c> is <c>localhost:6789</c>.
    /// </summary>
    /// <param name="words">Hosts, ports and endpoints.</param>
    public static IReadOnlyList<string> Join(IReadOnlyList<string> words)
    {
        List<string> joined = [];
        for (int i = 0; i < words.Count; i++)
        {
            bool isPair = i + 1 < words.Count && IsHostAndPort(words[i], words[i + 1]);
            joined.Add(isPair ? HostAndPort(words[i], words[++i]) : words[i]);
        }

        return joined;
    }

    /// <summary>The endpoint of a host and its port; an IPv6 address gets the brackets that an endpoint has around it (RFC 3986).</summary>
    public static string HostAndPort(string host, string port) => IsIPv6(host) ? $"[{host}]:{port}" : $"{host}:{port}";

    /// <summary>Whether two words are a host and its port, as nc(1) takes them.</summary>
    public static bool IsHostAndPort(string host, string port) =>
        port.Length is > 0 and <= 5 && port.All(char.IsAsciiDigit) && (IsIPv6(host) || (!IsMeant(host) && IsHostName(host)));

    /// <summary>Whether two words may be a host and a service's name, where nothing else can be meant: <c>localhost http</c>.</summary>
    public static bool IsHostAndService(string host, string service) => ServicePort.IsName(service) && IsHostAndPort(host, "1");

    /// <summary>Whether a word can only be meant as a host, and has no port: localhost, or an IPv4 address.</summary>
    public static bool IsHostAlone(string word) =>
        word == "localhost" || (word.Count(static letter => letter == '.') == 3 && IPAddress.TryParse(word, out _));

    /// <summary>Refuses what one can only listen at.</summary>
    /// <exception cref="ArgumentException">It has no host or no port, or is a socket that was passed.</exception>
    public static void RequireConnectable(Endpoint endpoint)
    {
        if (endpoint.IsPassed || (!endpoint.IsUnix && (endpoint.Host == "*" || endpoint.Port == 0)))
        {
            throw new ArgumentException($"{endpoint} is a place to listen, not one to connect to: name a host and a port");
        }
    }

    private static bool IsHostName(string word) =>
        word.Length > 0 && word.All(static letter => char.IsLetterOrDigit(letter) || ".-_*[]:".Contains(letter));

    private static bool IsIPv6(string word) => word.Contains(':') && word[0] != '[' && IPAddress.TryParse(word, out _);

    /// <summary>
    /// Whether a word is meant as an endpoint rather than as a service's name or a text: it has a scheme, is a number, ends in a colon and
    /// a number, or is localhost or an IPv4 address with a service's name, as in <c>localhost:http</c>.
    /// </summary>
    public static bool IsMeant(string word) =>
        word.Contains("://", StringComparison.Ordinal)
        || word.StartsWith("unix:", StringComparison.OrdinalIgnoreCase)
        || word.StartsWith("unix+dgram:", StringComparison.OrdinalIgnoreCase)
        || (word.LastIndexOf(':') is > 0 and int colon && IsHostAlone(word[..colon]) && ServicePort.IsName(word[(colon + 1)..]))
        || (!word.Any(char.IsWhiteSpace) && word[(word.LastIndexOf(':') + 1)..] is { Length: > 0 } port && port.All(char.IsAsciiDigit));
}
