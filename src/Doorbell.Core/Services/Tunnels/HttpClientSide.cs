using System.Buffers.Text;
using System.Text;

namespace Doorbell;

/// <summary>The server's side of HTTP's CONNECT (RFC 9110 section 9.3.6; the head's form is RFC 9112's).</summary>
internal sealed class HttpClientSide(TunnelOptions options) : TunnelClientSide(options)
{
    protected override Step ReadRequest(ReadOnlySpan<byte> input, Turn turn)
    {
        int end = input[..Math.Min(input.Length, Options.MaxHeadBytes)].IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return input.Length < Options.MaxHeadBytes
                ? Step.More(0)
                : Refuse(input.Length, "431 Request Header Fields Too Large", "", "The request's head is too long.", turn.Output);
        }

        ReadOnlySpan<byte> head = input[..(end + 2)];
        ReadOnlySpan<byte> line = head[..head.IndexOf("\r\n"u8)];
        int consumed = end + 4;
        int first = line.IndexOf((byte)' ');
        int last = line.LastIndexOf((byte)' ');
        if (first <= 0 || last <= first || !line[(last + 1)..].StartsWith("HTTP/1."u8))
        {
            return Refuse(consumed, "400 Bad Request", "", "This is no request of HTTP/1.1.", turn.Output);
        }

        if (!line[..first].SequenceEqual("CONNECT"u8))
        {
            return Refuse(
                consumed, "405 Method Not Allowed", "Allow: CONNECT\r\n", "This proxy makes tunnels (CONNECT) and forwards nothing else.",
                turn.Output);
        }

        if (Options.Users is not null && !IsKnown(head[line.Length..]))
        {
            return Refuse(
                consumed, "407 Proxy Authentication Required", "Proxy-Authenticate: Basic realm=\"proxy\", charset=\"UTF-8\"\r\n",
                "This proxy asks for a user name and a password.", turn.Output);
        }

        return TryReadTarget(line[(first + 1)..last], out Endpoint? target)
            ? Connect(consumed, target!, turn)
            : Refuse(consumed, "400 Bad Request", "", "The target of CONNECT is no host and port.", turn.Output);
    }

    protected override void WriteConnected(PeerAddress local, OutputBuffer output) =>
        output.Write("HTTP/1.1 200 Connection established\r\n\r\n"u8);

    protected override void WriteFailed(ConnectFailure failure, OutputBuffer output)
    {
        (string status, string why) = failure.Error switch
        {
            "EACCES" => ("403 Forbidden", "This proxy does not connect you there."),
            "ETIMEDOUT" => ("504 Gateway Timeout", "The target does not answer."),
            _ => ("502 Bad Gateway", $"The target can't be connected ({failure.Error})."),
        };
        WriteAnswer(status, "", why, output);
    }

    protected override void WriteTooLate(OutputBuffer output) =>
        WriteAnswer("408 Request Timeout", "", "The request did not come in time.", output);

    private static Step Refuse(int consumed, string status, string fields, string why, OutputBuffer output)
    {
        WriteAnswer(status, fields, why, output);
        return Step.Close(consumed);
    }

    private static void WriteAnswer(string status, string fields, string why, OutputBuffer output) => output.Write(Encoding.ASCII.GetBytes(
        $"HTTP/1.1 {status}\r\n{fields}Content-Type: text/plain\r\nContent-Length: {why.Length + 1}\r\nConnection: close\r\n\r\n{why}\n"));

    /// <summary>RFC 9112 section 3.2.3: a host, which may be an IPv6 address in brackets, a colon and a port.</summary>
    private static bool TryReadTarget(ReadOnlySpan<byte> authority, out Endpoint? target)
    {
        target = null;
        int colon = authority.LastIndexOf((byte)':');
        ReadOnlySpan<byte> digits = authority[(colon + 1)..];
        if (colon < 0 || digits.ContainsAnyExceptInRange((byte)'0', (byte)'9') || !Utf8Parser.TryParse(digits, out int port, out _))
        {
            return false;
        }

        ReadOnlySpan<byte> host = authority[..colon];
        bool isBracketed = host is [(byte)'[', .., (byte)']'];
        host = isBracketed ? host[1..^1] : host;
        return host.Contains((byte)':') == isBracketed && TunnelTarget.TryRead(host, port, out target);
    }

    /// <summary>RFC 7617 section 2: the word Basic, and base64 of the name, a colon and the password.</summary>
    private bool IsKnown(ReadOnlySpan<byte> fields)
    {
        foreach (Range range in fields.Split("\r\n"u8))
        {
            ReadOnlySpan<byte> field = fields[range];
            int colon = field.IndexOf((byte)':');
            if (colon < 0 || !Ascii.EqualsIgnoreCase(field[..colon], "Proxy-Authorization"u8))
            {
                continue;
            }

            ReadOnlySpan<byte> value = field[(colon + 1)..].Trim(" \t"u8);
            if (value.Length <= 6 || !Ascii.EqualsIgnoreCase(value[..6], "Basic "u8))
            {
                return false;
            }

            byte[] decoded = new byte[Base64.GetMaxDecodedFromUtf8Length(value.Length)];
            bool isBase64 = Base64.DecodeFromUtf8(value[6..].TrimStart((byte)' '), decoded, out _, out int length)
                == System.Buffers.OperationStatus.Done;
            int separator = decoded.AsSpan(0, length).IndexOf((byte)':');
            return isBase64 && separator >= 0 && Options.Knows(decoded.AsSpan(0, separator), decoded.AsSpan((separator + 1)..length));
        }

        return false;
    }
}
