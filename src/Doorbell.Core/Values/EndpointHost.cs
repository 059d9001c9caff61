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

        if (host.Contains('%'))
        {
            return ReadGroup(ref host);
        }

        return host == "*" ? null : LooksLikeIPv4(host) ? CheckIPv4(host) : CheckName(host);
    }

    /// <summary>An IPv4 address mapped into IPv6 is meant as IPv4: a socket for IPv6 alone can't reach it.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    /// <summary>The address that a host is, and its interface by index, 0 if it names none; null if it is a name or <c>*</c>.</summary>
    public static IPAddress? ReadAddress(string host, out int networkInterface)
    {
        int percent = host.Contains(':') ? -1 : host.IndexOf('%');
        networkInterface = percent < 0 ? 0 : int.Parse(host.AsSpan(percent + 1), CultureInfo.InvariantCulture);
        if (!IPAddress.TryParse(percent < 0 ? host : host[..percent], out IPAddress? address))
        {
            return null;
        }

        if (host.Contains(':'))
        {
            networkInterface = (int)address.ScopeId;
        }

        return address;
    }

    /// <summary>
    /// Which interface an IPv4 group is on is written as IPv6 has it (RFC 4007 section 11); IPv4 has no form of its own for it.
    /// </summary>
    private static string? ReadGroup(ref string host)
    {
        int percent = host.IndexOf('%');
        string zone = host[(percent + 1)..];
        string bare = host[..percent];
        if (!LooksLikeIPv4(bare))
        {
            return CheckName(host);
        }

        if (CheckIPv4(bare) is { } wrong)
        {
            return wrong;
        }

        // 224.0.0.0/4: RFC 1112 section 4.
        if (IPAddress.Parse(bare).GetAddressBytes()[0] >> 4 != 224 >> 4)
        {
            return "an IPv4 address takes an interface only if it is a group's, 224.0.0.0 to 239.255.255.255, "
                + "as in udp://239.1.2.3%eth0:6789";
        }

        // Read as a zone of IPv6, which knows the interfaces' names. System.Net.Sockets takes an index of 24 bits for IPv4
        // (MulticastOption).
        const long MaxIndex = 0x00ff_ffff;
        if (!IPAddress.TryParse("ff02::1%" + zone, out IPAddress? zoned) || zoned.ScopeId is 0 or > MaxIndex)
        {
            return $"{NoInterface(zone)}, as in udp://{bare}%eth0:6789";
        }

        host = string.Create(CultureInfo.InvariantCulture, $"{bare}%{zoned.ScopeId}");
        return null;
    }

    private static string NoInterface(string zone)
    {
        string lists = OperatingSystem.IsWindows() ? "netsh interface show interface"
            : OperatingSystem.IsMacOS() ? "ifconfig -l"
            : "ip link";
        return $"\"{PrintableText.Escape(zone)}\" is no interface of this machine (`{lists}` lists them)";
    }

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
                return $"{NoInterface(zone)}, as in tcp://[fe80::1%eth0]:6789";
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
