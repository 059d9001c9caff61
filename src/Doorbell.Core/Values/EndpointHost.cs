using System.Globalization;
using System.Net;
using System.Text;

namespace Doorbell;

/// <summary>
/// The host of an endpoint. Not left to System.Uri, which takes characters that reorder a line of text, nor to
/// <see cref="IPAddress"/>, which drops a zone that it doesn't know and reads a port within brackets.
/// </summary>
internal static class EndpointHost
{
    // RFC 1035 section 2.3.4.
    private const int MaxNameLength = 255;
    private const int MaxLabelLength = 63;

    /// <summary>Makes a host canonical, or says what is wrong with it.</summary>
    public static string? Read(ref string host)
    {
        if (host.Length == 0)
        {
            host = "localhost";
            return null;
        }

        if (host.StartsWith('[') && host.EndsWith(']'))
        {
            host = host[1..^1];
            return ReadIPv6(ref host);
        }

        if (host.Contains(':'))
        {
            return "an IPv6 address stands in brackets, as in tcp://[::1]:6789";
        }

        return host == "*" ? null : LooksLikeIPv4(host) ? CheckIPv4(host) : CheckName(host);
    }

    /// <summary>An IPv4 address mapped into IPv6 is meant as IPv4: a socket for IPv6 alone can't reach it.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static string? ReadIPv6(ref string host)
    {
        int percent = host.IndexOf('%');
        string bare = percent < 0 ? host : host[..percent];
        bool sane = bare.All(static letter => char.IsAsciiHexDigit(letter) || letter is ':' or '.');
        if (!sane || !IPAddress.TryParse(bare, out IPAddress? address) || bare.Contains('.') && !bare.Contains(':'))
        {
            return $"\"{PrintableText.Escape(host)}\" is no IPv6 address, as in tcp://[::1]:6789";
        }

        if (percent >= 0)
        {
            string zone = host[(percent + 1)..];
            if (!IPAddress.TryParse(host, out address) || address.ScopeId == 0)
            {
                return $"\"{PrintableText.Escape(zone)}\" is no interface of this machine (`ip link` lists them), "
                    + "as in tcp://[fe80::1%eth0]:6789";
            }
        }

        host = Plain(address).ToString();
        return null;
    }

    /// <summary>
    /// Whether the last label is a number, which no name's is (RFC 3696 section 2), or all of it is read as one (inet_aton(3)).
    /// </summary>
    private static bool LooksLikeIPv4(string host) =>
        host[(host.LastIndexOf('.') + 1)..] is { Length: > 0 } last && last.All(char.IsAsciiDigit) || IPAddress.TryParse(host, out _);

    private static string? CheckIPv4(string host) => IPAddress.TryParse(host, out IPAddress? address) && address.ToString() == host
        ? null
        : $"\"{PrintableText.Escape(host)}\" is no IPv4 address: four numbers from 0 to 255, as in tcp://127.0.0.1:6789";

    private static string? CheckName(string host)
    {
        string name = host.EndsWith('.') ? host[..^1] : host;
        return host.Length <= MaxNameLength && name.Split('.').All(IsLabel)
            ? null
            : $"\"{PrintableText.Escape(host)}\" is no host: give a name, an IP address, or * for every interface, as in tcp://*:6789";
    }

    /// <summary>Letters and digits of any script, hyphens within, and the underscores that are found in practice.</summary>
    private static bool IsLabel(string label) => label.Length is > 0 and <= MaxLabelLength
        && label[0] != '-' && label[^1] != '-'
        && label.EnumerateRunes().All(static rune => rune.Value is '-' or '_' || IsLetterOrDigit(rune));

    private static bool IsLetterOrDigit(Rune rune) => Rune.IsLetterOrDigit(rune)
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;
}
