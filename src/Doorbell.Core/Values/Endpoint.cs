using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Doorbell;

/// <summary>
/// A place to serve at or to reach, as a URI: <c>tcp://host:port</c>, <c>udp://host:port</c>,
/// <c>unix:///path</c> (stream), <c>unix+dgram:///path</c>, and for servers <c>fd://N</c> or <c>fd://NAME</c>, a socket that this process
/// was passed. A bare <c>6789</c>, <c>:6789</c> or <c>host:6789</c> means tcp; a missing host means localhost.
/// </summary>
/// <remarks>
/// An IPv6 address stands in brackets. <c>*</c> is every interface, both families. <c>localhost</c> is both loopback addresses.
/// An IPv4 address has four decimal numbers: 127.1 and 010.0.0.1 mean different places to different programs (RFC 6943 section
/// 3.1.1). Port 0 is any free port.
/// A group's address may name its interface: <c>udp://239.1.2.3%eth0:6789</c>, <c>udp://[ff02::1%eth0]:6789</c>. Without one, the system's
/// routes choose it. An endpoint is printed with the interface's number.
/// After <c>unix:</c> may stand <c>//</c> and an absolute path, or a path alone; a path is taken
/// as it is, without percent-decoding, and has only characters that can be shown. <c>\xff</c> is the byte 0xff, for what is no UTF-8 or
/// can't be shown; so <c>\x5c</c> is a backslash. <c>unix:@name</c> is an abstract name, which has no file (Linux, unix(7)); a file of that
/// name is <c>unix:./@name</c>.
/// </remarks>
[TypeConverter(typeof(EndpointConverter))]
public sealed record Endpoint : ISpanParsable<Endpoint>
{
    internal Endpoint(Transport transport, string? host, int port, string? path, ApplicationScheme? application = null)
    {
        Application = application;
        Transport = transport;
        Host = host;
        Port = port;
        Path = path;
    }

    /// <summary>What carries its bytes.</summary>
    public Transport Transport { get; }

    /// <summary>The protocol whose scheme it was written with; null if it names a transport alone.</summary>
    public ApplicationScheme? Application { get; }

    /// <summary>A name, an IP address without brackets, or <c>*</c>; what stands behind <c>fd://</c>; null for unix.</summary>
    public string? Host { get; }

    /// <summary>0 to 65,535; 0 for unix.</summary>
    public int Port { get; }

    /// <summary>
    /// A unix socket's path, as <see cref="SystemText"/> has it; an abstract name begins with NUL. Null for the others.
    /// </summary>
    public string? Path { get; }

    /// <summary>The address of a host that is one; null if it is a name, <c>*</c>, or no host.</summary>
    public IPAddress? Address => Host is null || IsPassed ? null : EndpointHost.ReadAddress(Host, out _);

    /// <summary>The index of the interface that the host names behind <c>%</c>; 0 if it names none.</summary>
    public int Interface
    {
        get
        {
            int index = 0;
            _ = Host is null || IsPassed ? null : EndpointHost.ReadAddress(Host, out index);
            return index;
        }
    }

    /// <summary>Whether it carries streams; otherwise datagrams.</summary>
    public bool IsStream => Transport is Transport.Tcp or Transport.Unix;

    /// <summary>Whether it is a path rather than a host and port.</summary>
    public bool IsUnix => Transport is Transport.Unix or Transport.UnixDatagram;

    /// <summary>Whether its host is the address of a multicast group (RFC 1112 section 4, RFC 4291 section 2.7).</summary>
    public bool IsGroup => Address is { } address
        && (address.IsIPv6Multicast || (!Host!.Contains(':') && address.GetAddressBytes()[0] >> 4 == 224 >> 4));

    /// <summary>Whether it is a socket that this process was passed, which only a server can use.</summary>
    public bool IsPassed => Transport == Transport.Passed;

    /// <summary>Reads an endpoint.</summary>
    /// <param name="text">In any of the forms above.</param>
    /// <exception cref="FormatException">It is none; the message is one line that says what is wrong and what would be right.</exception>
    public static Endpoint Parse(string text) => Parse(text, []);

    /// <summary>Reads an endpoint that may have a protocol's own scheme.</summary>
    /// <param name="text">In any of the forms above, or with one of these schemes.</param>
    /// <param name="schemes">Of the protocols that are known.</param>
    /// <exception cref="FormatException">It is none; the message is one line that says what is wrong and what would be right.</exception>
    public static Endpoint Parse(string text, params IReadOnlyList<ApplicationScheme> schemes) =>
        EndpointParser.TryParse(text, schemes, out Endpoint? endpoint, out string? error) ? endpoint : throw new FormatException(error);

    /// <summary>Reads an endpoint.</summary>
    /// <param name="text">In any of the forms above.</param>
    /// <param name="endpoint">The endpoint, if it is one.</param>
    /// <param name="error">Otherwise one line that says what is wrong and what would be right.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Endpoint? endpoint, [NotNullWhen(false)] out string? error) =>
        EndpointParser.TryParse(text, [], out endpoint, out error);

    /// <summary>Reads an endpoint that may have a protocol's own scheme.</summary>
    /// <param name="text">In any of the forms above, or with one of these schemes.</param>
    /// <param name="schemes">Of the protocols that are known.</param>
    /// <param name="endpoint">The endpoint, if it is one.</param>
    /// <param name="error">Otherwise one line that says what is wrong and what would be right.</param>
    public static bool TryParse(
        string? text,
        IReadOnlyList<ApplicationScheme> schemes,
        [NotNullWhen(true)] out Endpoint? endpoint,
        [NotNullWhen(false)] out string? error) => EndpointParser.TryParse(text, schemes, out endpoint, out error);

    /// <summary>Reads an endpoint, so that a string may stand where one is expected: <c>Endpoints = ["tcp://localhost:7000"]</c>.</summary>
    /// <param name="text">In any of the forms above.</param>
    /// <exception cref="FormatException">It is none; the message is one line that says what is wrong and what would be right.</exception>
    public static implicit operator Endpoint(string text) => Parse(text);

    static Endpoint IParsable<Endpoint>.Parse(string s, IFormatProvider? provider) => Parse(s);

    static bool IParsable<Endpoint>.TryParse(string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out Endpoint result) =>
        TryParse(s, out result, out _);

    static Endpoint ISpanParsable<Endpoint>.Parse(ReadOnlySpan<char> s, IFormatProvider? provider) => Parse(s.ToString());

    static bool ISpanParsable<Endpoint>.TryParse(
        ReadOnlySpan<char> s, IFormatProvider? provider, [MaybeNullWhen(false)] out Endpoint result) =>
        TryParse(s.ToString(), out result, out _);

    /// <summary>The endpoint of a socket that is bound or connected already.</summary>
    /// <param name="transport">TCP or UDP.</param>
    /// <param name="address">Its address.</param>
    public static Endpoint From(Transport transport, IPEndPoint address)
    {
        return transport is not (Transport.Tcp or Transport.Udp)
            ? throw new ArgumentOutOfRangeException(nameof(transport), transport, "An IP address goes with TCP or UDP.")
            : new Endpoint(transport, EndpointHost.Plain(address.Address).ToString(), address.Port, null);
    }

    /// <summary>A unix socket's path as an endpoint.</summary>
    /// <param name="transport">Of streams or of datagrams.</param>
    /// <param name="path">Taken as it is.</param>
    public static Endpoint Unix(Transport transport, string path) => transport is Transport.Unix or Transport.UnixDatagram
        ? new Endpoint(transport, null, 0, path)
        : throw new ArgumentOutOfRangeException(nameof(transport), transport, "A path goes with a unix socket.");

    /// <summary>As a URI that reads back as the same endpoint, fit to print.</summary>
    public override string ToString() => Transport switch
    {
        Transport.Unix => $"unix:{Slashes}{EndpointPath.Shown(Path!)}",
        Transport.UnixDatagram => $"unix+dgram:{Slashes}{EndpointPath.Shown(Path!)}",
        Transport.Passed => $"fd://{Host}",
        _ => $"{Application?.Name ?? EndpointScheme.NameOf(Transport)}://{(Host!.Contains(':') ? $"[{Host}]" : Host)}:{Port}",
    };

    /// <summary>The same, written with a protocol's scheme, or with its transport's.</summary>
    /// <param name="application">The protocol; null for the transport alone.</param>
    public Endpoint As(ApplicationScheme? application) => new(Transport, Host, Port, Path, application);

    /// <summary>A group's endpoint on an interface, as in <c>udp://239.1.2.3%eth0:6789</c>.</summary>
    /// <param name="networkInterface">The interface's name.</param>
    /// <exception cref="FormatException">It is no group, names another interface already, or this machine lacks that interface.</exception>
    public Endpoint On(string networkInterface)
    {
        if (!IsGroup)
        {
            throw new FormatException($"{this} is no multicast group's endpoint, which alone has an interface");
        }

        string bare = Host!.Split('%')[0];
        string zoned = $"{bare}%{networkInterface}";
        Endpoint there = Parse($"{EndpointScheme.NameOf(Transport)}://{(bare.Contains(':') ? $"[{zoned}]" : zoned)}:{Port}");
        return Interface == 0 || Interface == there.Interface
            ? there.As(Application)
            : throw new FormatException(
                $"{this} names another interface than {PrintableText.Escape(networkInterface)}: leave out one of them");
    }

    private string Slashes => Path!.StartsWith('/') ? "//" : "";
}
