using System.Diagnostics.CodeAnalysis;

namespace Doorbell;

/// <summary>Reads endpoints, and says of a wrong one what is wrong with it.</summary>
internal static class EndpointParser
{
    /// <summary>sun_path with its NUL holds 108 bytes on Linux (unix(7)) and Windows, 104 on macOS (sys/un.h).</summary>
    private static readonly int _maxPathBytes = OperatingSystem.IsMacOS() ? 103 : 107;

    private const char AbstractMark = '@';

    public static bool TryParse(
        string? text,
        IReadOnlyList<ApplicationScheme> schemes,
        [NotNullWhen(true)] out Endpoint? endpoint,
        [NotNullWhen(false)] out string? error)
    {
        endpoint = null;
        error = string.IsNullOrWhiteSpace(text)
            ? "an endpoint is empty: give one such as tcp://localhost:6789"
            : Read(text, schemes, out endpoint) is { } wrong ? $"\"{Shown(text)}\" is no endpoint: {wrong}" : null;
        return error is null;
    }

    private static string? Read(string text, IReadOnlyList<ApplicationScheme> schemes, out Endpoint? endpoint)
    {
        endpoint = null;
        int colon = text.IndexOf(':');
        if (colon < 0 && text.Contains('/'))
        {
            return $"a path takes its scheme, as in unix:{Shown(text)}";
        }

        if (colon < 0)
        {
            return ReadHostAndPort(Transport.Tcp, text.All(char.IsAsciiDigit) ? ":" + text : text, out endpoint);
        }

        string scheme = text[..colon];
        string rest = text[(colon + 1)..];
        Transport? transport = EndpointScheme.Find(scheme);
        if (transport is Transport.Unix or Transport.UnixDatagram)
        {
            return ReadPath(transport.Value, scheme.ToLowerInvariant(), rest, out endpoint);
        }

        if (!rest.StartsWith("//", StringComparison.Ordinal))
        {
            if (transport is { } single && rest.StartsWith('/'))
            {
                string name = EndpointScheme.NameOf(single);
                return $"two slashes stand behind {name}:, as in {EndpointScheme.Example(name, schemes)}";
            }

            return ReadHostAndPort(Transport.Tcp, text, out endpoint);
        }

        if (transport == Transport.Passed)
        {
            return ReadPassed(rest[2..], out endpoint);
        }

        if (transport is { } known)
        {
            return ReadHostAndPort(known, rest[2..], out endpoint);
        }

        return schemes.FirstOrDefault(application => application.Name.Equals(scheme, StringComparison.OrdinalIgnoreCase)) is { } protocol
            ? ReadOfApplication(protocol, rest[2..], out endpoint)
            : EndpointScheme.Explain(scheme, schemes);
    }

    private static string? ReadPath(Transport transport, string scheme, string rest, out Endpoint? endpoint)
    {
        endpoint = null;
        string path = rest.StartsWith("//", StringComparison.Ordinal) ? rest[2..] : rest;
        if (path.Length == 0)
        {
            return $"the path is missing, as in {scheme}:///run/door";
        }

        if (path[0] == AbstractMark && path.Length == rest.Length)
        {
            return ReadAbstract(transport, scheme, path[1..], out endpoint);
        }

        if (path.Length < rest.Length && path[0] != '/')
        {
            return $"an absolute path takes three slashes, as in {scheme}:///run/door; a relative one none, as in {scheme}:door, "
                + $"and an abstract name none, as in {scheme}:@door";
        }

        // What can't be shown could not be read back from what is printed either.
        if (!EndpointPath.TryRead(path, out string? read))
        {
            return $"the path has a character that can't be shown: rename it, as in {scheme}:///run/door, or write \\x0a for a byte 0x0a";
        }

        if (read.LastIndexOf('\0') is var nul && (nul > 0 || (nul == 0 && !OperatingSystem.IsLinux())))
        {
            return "a NUL ends a path; only the first byte of an abstract name on Linux is one (unix(7))";
        }

        return ReadBytes(transport, scheme, read, out endpoint);
    }

    /// <summary>What stands behind the @, which stands for the NUL that an abstract name begins with (unix(7)).</summary>
    private static string? ReadAbstract(Transport transport, string scheme, string name, out Endpoint? endpoint)
    {
        endpoint = null;
        if (!OperatingSystem.IsLinux())
        {
            return $"abstract names are Linux's alone (unix(7)): give a path; a file of that name is {scheme}:./@{Shown(name)}";
        }

        if (name.Length == 0)
        {
            return $"the abstract name is missing, as in {scheme}:@door";
        }

        return !EndpointPath.TryRead(name, out string? read) || read.Contains('\0')
            ? $"the abstract name has a character that can't be shown, or a NUL: choose another, as in {scheme}:@door"
            : ReadBytes(transport, scheme, '\0' + read, out endpoint);
    }

    private static string? ReadBytes(Transport transport, string scheme, string read, out Endpoint? endpoint)
    {
        int bytes = SystemText.ToBytes(read).Length;
        if (bytes > _maxPathBytes)
        {
            endpoint = null;
            return $"the path has {bytes} bytes and a unix socket's may have {_maxPathBytes} (unix(7)): "
                + $"choose a shorter one, as in {scheme}:///run/door";
        }

        endpoint = new Endpoint(transport, null, 0, read);
        return null;
    }

    private static string? ReadPassed(string which, out Endpoint? endpoint)
    {
        bool fit = which.Length is > 0 and <= 255 && which.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '@');
        endpoint = fit ? new Endpoint(Transport.Passed, which, 0, null) : null;
        return fit ? null : "behind fd:// stands a descriptor's number, or a name that systemd gave it, as in fd://3 or fd://web";
    }

    /// <summary>A host, and a port if it is not the protocol's own.</summary>
    private static string? ReadOfApplication(ApplicationScheme protocol, string text, out Endpoint? endpoint)
    {
        endpoint = null;
        text = text.EndsWith('/') ? text[..^1] : text;
        if (text.Contains('/'))
        {
            return $"a server's endpoint has no path, as in {protocol.Name}://localhost:{protocol.DefaultPort}";
        }

        bool hasPort = text.Contains(':') && !text.EndsWith(']');
        string? wrong = ReadHostAndPort(protocol.Transport, hasPort ? text : $"{text}:{protocol.DefaultPort}", out endpoint);
        endpoint = endpoint?.As(protocol);
        return wrong;
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

        if (EndpointHost.Read(ref host) is { } wrongHost)
        {
            return wrongHost;
        }

        endpoint = new Endpoint(transport, host, port, null);
        return null;
    }

    private static string? ReadPort(string text, out int port)
    {
        if (WholeNumber.TryParse(text, out port) && port <= ushort.MaxValue)
        {
            return null;
        }

        return text.Length == 0
            ? "the port is missing, as in tcp://localhost:6789"
            : $"\"{Shown(text)}\" is no port: a port is a number from 0 to 65535, as in tcp://localhost:6789";
    }

    private static string Shown(string text) => PrintableText.Escape(SystemText.ToBytes(text), PrintableText.DefaultMaxBytes);
}
