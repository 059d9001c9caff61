using System.Net;

namespace Doorbell;

/// <summary>
/// A range of addresses, as CIDR writes it (RFC 4632): <c>10.0.0.0/8</c>, <c>::1/128</c>, an address alone for itself; or <c>unix</c>,
/// every peer over a unix socket.
/// </summary>
public readonly record struct AddressRange
{
    private readonly AddressKind _kind;
    private readonly UInt128 _bits;
    private readonly byte _prefix;

    private AddressRange(AddressKind kind, UInt128 bits, int prefix)
    {
        _kind = kind;
        _bits = bits;
        _prefix = (byte)prefix;
    }

    /// <summary>Every peer over a unix socket.</summary>
    public static AddressRange Unix { get; } = new(AddressKind.Unix, 0, 0);

    /// <summary>Reads a range.</summary>
    /// <param name="text">As <c>10.0.0.0/8</c>, <c>::1/128</c>, <c>192.0.2.7</c> or <c>unix</c>.</param>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static AddressRange Parse(string text)
    {
        if (text == "unix")
        {
            return Unix;
        }

        int slash = text.IndexOf('/', StringComparison.Ordinal);
        string address = slash < 0 ? text : text[..slash];
        if (!IPAddress.TryParse(address, out IPAddress? parsed)
            || address.AsSpan().ContainsAny("%[]")
            || (!address.Contains(':', StringComparison.Ordinal) && parsed.ToString() != address))
        {
            throw new FormatException(
                $"{Quoted(text)} is no range of addresses: write it as 10.0.0.0/8, 2001:db8::/32, 192.0.2.7 or unix.");
        }

        PeerAddress peer = PeerAddress.From(new IPEndPoint(parsed, 0));
        int width = WidthOf(peer.Kind);
        int prefix = width;
        if (slash >= 0 && (!WholeNumber.TryParse(text.AsSpan(slash + 1), out prefix) || prefix > width))
        {
            throw new FormatException($"{Quoted(text)} has no length of a prefix behind the slash: a number from 0 to {width}.");
        }

        UInt128 bits = peer.Bits & MaskOf(prefix, width);
        return bits == peer.Bits
            ? new AddressRange(peer.Kind, bits, prefix)
            : throw new FormatException(
                $"{Quoted(text)} has bits set behind its prefix of {prefix}: shorten the address or lengthen the prefix.");
    }

    /// <summary>Whether a peer's address is in it; its port does not matter.</summary>
    /// <param name="peer">An address; an IPv4 one that came mapped into IPv6 is the IPv4 one.</param>
    public bool Contains(PeerAddress peer) => peer.Kind == _kind && _kind switch
    {
        AddressKind.None => false,
        AddressKind.Unix => true,
        _ => (peer.Bits & MaskOf(_prefix, WidthOf(_kind))) == _bits,
    };

    /// <summary>As <see cref="Parse"/> reads it, with the prefix's length.</summary>
    public override string ToString() => _kind switch
    {
        AddressKind.Unix => "unix",
        AddressKind.IPv4 => $"{PeerAddress.IPv4((uint)_bits, 0).ToIPEndPoint().Address}/{_prefix}",
        AddressKind.IPv6 => $"{PeerAddress.IPv6(_bits, 0, 0).ToIPEndPoint().Address}/{_prefix}",
        _ => "none",
    };

    private static int WidthOf(AddressKind kind) => kind == AddressKind.IPv4 ? 32 : 128;

    private static UInt128 MaskOf(int prefix, int width) => prefix == 0
        ? 0
        : (UInt128.MaxValue >> (128 - width)) & (UInt128.MaxValue << (width - prefix));

    private static string Quoted(string text) => $"\"{PrintableText.Escape(text)}\"";
}
