using System.Globalization;
using System.Text;

namespace Doorbell.Sessions;

/// <summary>The client's side of HTTP's CONNECT (RFC 9110 section 9.3.6; the head's form is RFC 9112's).</summary>
internal sealed class HttpTunnelLayer(TunnelProxy proxy, Endpoint target) : TunnelLayer(proxy, target)
{
    private const int MaxHeadBytes = 16 * 1024;
    private const int MaxShownBytes = 200;

    private readonly List<byte> _head = [];

    public override LayerState Begin(OutputBuffer wire)
    {
        // RFC 9112 section 3.2.3: an IPv6 address stands in brackets.
        string authority = Target.ToString()["tcp://".Length..];
        string login = Proxy.User is { } user
            ? $"Proxy-Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{Proxy.Password}"))}\r\n"
            : "";
        wire.Write(Encoding.UTF8.GetBytes($"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{login}\r\n"));
        return LayerState.Opening;
    }

    public override Unwrapped Unwrap(ReadOnlySpan<byte> came, Span<byte> plain, OutputBuffer wire)
    {
        for (int taken = 1; taken <= came.Length; taken++)
        {
            _head.Add(came[taken - 1]);
            if (_head[^1] == '\n' && (EndsWith("\r\n\r\n"u8) || EndsWith("\n\n"u8)))
            {
                return OnHead(taken);
            }

            if (_head.Count == "HTTP/1."u8.Length && !EndsWith("HTTP/1."u8))
            {
                return Fail(taken, "does not speak HTTP/1.1", "EPROTO", "look whether it is a SOCKS proxy, socks5://, or at its port");
            }

            if (_head.Count == MaxHeadBytes)
            {
                return Fail(taken, $"answers with a head of more than {MaxHeadBytes} bytes", "EPROTO");
            }
        }

        return More(came.Length);
    }

    private bool EndsWith(ReadOnlySpan<byte> end) =>
        _head.Count >= end.Length && _head[^end.Length..].ToArray().AsSpan().SequenceEqual(end);

    private Unwrapped OnHead(int taken)
    {
        byte[] head = [.. _head];
        _head.Clear();
        ReadOnlySpan<byte> line = head.AsSpan(0, Array.IndexOf(head, (byte)'\n')).TrimEnd((byte)'\r');
        int space = line.IndexOf((byte)' ');
        ReadOnlySpan<byte> status = space < 0 ? [] : line[(space + 1)..];
        bool isStatus = status.Length >= 3 && int.TryParse(status[..3], NumberStyles.None, CultureInfo.InvariantCulture, out int code)
            ? (status.Length == 3 || status[3] == ' ') && code >= 100
            : (code = 0) > 0;
        return (isStatus, code) switch
        {
            (false, _) => Fail(taken, "does not speak HTTP/1.1", "EPROTO"),
            (_, < 200) => More(taken),
            (_, < 300) => Done(taken),
            (_, 407) when Proxy.User is null =>
                Fail(taken, "asks for a user name and a password (407)", "EACCES", "give them, as in http://user:password@host:port"),
            (_, 407) => Fail(taken, "refuses the user name or the password (407)", "EACCES"),
            _ => Fail(taken, $"does not connect to {Target}: it answers {PrintableText.Escape(status, MaxShownBytes)}", ErrorOf(code)),
        };
    }

    private static string ErrorOf(int code) => code switch
    {
        403 => "EACCES",
        502 or 503 => "EHOSTUNREACH",
        504 => "ETIMEDOUT",
        _ => "EIO",
    };
}
