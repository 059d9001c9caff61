using System.Globalization;
using System.Text;

namespace Doorbell.Lab.Http;

/// <summary>
/// A whole request of HTTP/1 (RFC 9112), as far as a small API needs it: a body has a Content-Length, and headers have one value.
/// </summary>
/// <param name="Method">As in GET.</param>
/// <param name="Path">As it stands in the request, without what follows a question mark.</param>
/// <param name="Headers">By their names in lower case.</param>
/// <param name="Body">Empty if there is none.</param>
/// <param name="StaysOpen">Whether another request may follow on the same connection.</param>
internal sealed record HttpRequest(
    string Method, string Path, IReadOnlyDictionary<string, string> Headers, ReadOnlyMemory<byte> Body, bool StaysOpen)
{
    public const int MaxHeadBytes = 16 * 1024;
    public const int MaxBodyBytes = 1024 * 1024;
    private const int MaxHeaders = 100;

    /// <summary>A header's value; null if it is not there.</summary>
    public string? Header(string name) => Headers.GetValueOrDefault(name);

    /// <summary>Reads the first request.</summary>
    /// <param name="input">All that has come and is not consumed.</param>
    /// <param name="consumed">How many bytes the request has.</param>
    /// <returns>Null if it is not whole yet.</returns>
    /// <exception cref="HttpException">It is none, or is too large. Nothing that follows can be understood.</exception>
    public static HttpRequest? Read(ReadOnlySpan<byte> input, out int consumed)
    {
        consumed = 0;
        int head = HeadOf(input, out int body);
        if (head < 0 ? input.Length > MaxHeadBytes : head > MaxHeadBytes)
        {
            throw new HttpException(431, $"the headers have more than {MaxHeadBytes} bytes");
        }

        if (head < 0)
        {
            return null;
        }

        string[] lines = Lines(input[..head]);
        if (lines[0].Split(' ') is not [{ Length: > 0 } method, { Length: > 0 } target, "HTTP/1.0" or "HTTP/1.1"])
        {
            throw new HttpException(400, "this is no request of HTTP/1");
        }

        Dictionary<string, string> headers = ReadHeaders(lines.AsSpan(1));
        int length = BodyLength(headers);
        int whole = body + length;
        if (input.Length < whole)
        {
            return null;
        }

        consumed = whole;
        string connection = headers.GetValueOrDefault("connection", "").ToLowerInvariant();
        bool staysOpen = lines[0].EndsWith('1') ? !connection.Contains("close", StringComparison.Ordinal) : connection == "keep-alive";
        return new HttpRequest(method, target.Split('?')[0], headers, input[body..whole].ToArray(), staysOpen);
    }

    /// <summary>Whether a client waits to be told that its body is wanted before it sends that (RFC 9110 section 10.1.1).</summary>
    /// <param name="input">What has come of a request that is not whole.</param>
    public static bool AwaitsContinue(ReadOnlySpan<byte> input)
    {
        int head = HeadOf(input, out int body);
        return head >= 0 && body == input.Length && Lines(input[..head]).Any(static line =>
            line.Replace(" ", "", StringComparison.Ordinal).Equals("expect:100-continue", StringComparison.OrdinalIgnoreCase));
    }

    private static string[] Lines(ReadOnlySpan<byte> head) =>
        [.. Encoding.Latin1.GetString(head).Split('\n').Select(static line => line.TrimEnd('\r'))];

    /// <summary>Lines end in CR and LF; LF alone is an end too (RFC 9112 section 2.2), as a person types it into nc.</summary>
    /// <param name="input">A request's beginning.</param>
    /// <param name="body">Where its body begins.</param>
    /// <returns>The bytes of the head without its empty line; -1 if it is not whole.</returns>
    private static int HeadOf(ReadOnlySpan<byte> input, out int body)
    {
        for (int end = 0; input[end..].IndexOf((byte)'\n') is >= 0 and int length;)
        {
            end += length + 1;
            body = input[end..].StartsWith("\r\n"u8) ? end + 2 : input[end..].StartsWith("\n"u8) ? end + 1 : 0;
            if (body > 0)
            {
                return end > 1 && input[end - 2] == '\r' ? end - 2 : end - 1;
            }
        }

        body = 0;
        return -1;
    }

    private static Dictionary<string, string> ReadHeaders(ReadOnlySpan<string> lines)
    {
        Dictionary<string, string> headers = [];
        if (lines.Length > MaxHeaders)
        {
            throw new HttpException(431, $"there are more than {MaxHeaders} headers");
        }

        foreach (string line in lines)
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            string name = colon > 0 ? line[..colon] : "";
            if (name.Length == 0 || name.Any(char.IsWhiteSpace) || line.Any(char.IsControl))
            {
                throw new HttpException(400, "a header is none");
            }

            // Of two lengths or two hosts one would be believed here and the other elsewhere.
            string lower = name.ToLowerInvariant();
            bool isNew = headers.TryAdd(lower, line[(colon + 1)..].Trim());
            if (!isNew && lower is "content-length" or "host")
            {
                throw new HttpException(400, $"{name} is said twice");
            }
        }

        return headers;
    }

    private static int BodyLength(Dictionary<string, string> headers)
    {
        if (headers.ContainsKey("transfer-encoding"))
        {
            throw new HttpException(411, "Transfer-Encoding is not understood: say Content-Length");
        }

        if (!headers.TryGetValue("content-length", out string? text))
        {
            return 0;
        }

        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long length))
        {
            throw new HttpException(400, "Content-Length is no number");
        }

        return length <= MaxBodyBytes ? (int)length : throw new HttpException(413, $"the body has more than {MaxBodyBytes} bytes");
    }
}
