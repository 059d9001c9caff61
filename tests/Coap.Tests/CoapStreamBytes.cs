using System.Globalization;
using System.Text;

namespace Doorbell.Tests;

/// <summary>
/// CoAP's messages over a stream, written and shown by hand from the text of RFC 8323 section 3.2: it shares no code with the library.
/// </summary>
internal static class CoapStreamBytes
{
    /// <summary>A CSM without options.</summary>
    public static byte[] Csm { get; } = Message(0xe1);

    public static byte[] Message(byte code, byte[]? token = null, (int Number, byte[] Value)[]? options = null, byte[]? payload = null)
    {
        List<byte> body = [];
        int last = 0;
        foreach ((int number, byte[] value) in options ?? [])
        {
            List<byte> more = [];
            int delta = OptionNibble(number - last, more);
            int length = OptionNibble(value.Length, more);
            body.Add((byte)((delta << 4) | length));
            body.AddRange(more);
            body.AddRange(value);
            last = number;
        }

        if (payload is { Length: > 0 })
        {
            body.Add(0xff);
            body.AddRange(payload);
        }

        token ??= [];
        int size = body.Count;
        byte[] extension = size < 13 ? []
            : size < 269 ? [(byte)(size - 13)]
            : size < 65_805 ? [(byte)((size - 269) >> 8), (byte)(size - 269)]
            : [(byte)((size - 65_805) >> 24), (byte)((size - 65_805) >> 16), (byte)((size - 65_805) >> 8), (byte)(size - 65_805)];
        int nibble = extension.Length switch { 0 => size, 1 => 13, 2 => 14, _ => 15 };
        return [(byte)((nibble << 4) | token.Length), .. extension, code, .. token, .. body];
    }

    public static byte[] Request(byte method, string path, byte token, string body = "", params (int Number, byte[] Value)[] options) =>
        Message(
            method,
            [token],
            [.. options.Append((11, Encoding.UTF8.GetBytes(path))).OrderBy(static option => option.Item1)],
            Encoding.UTF8.GetBytes(body));

    /// <summary>All messages, each as <c>2.05/01 6=03 text</c>: code, token, options by number, and the payload.</summary>
    public static string[] Show(ReadOnlySpan<byte> bytes)
    {
        List<string> shown = [];
        while (!bytes.IsEmpty)
        {
            int nibble = bytes[0] >> 4;
            int tokenLength = bytes[0] & 15;
            int extension = nibble switch { 13 => 1, 14 => 2, 15 => 4, _ => 0 };
            long size = 0;
            foreach (byte part in bytes.Slice(1, extension))
            {
                size = (size << 8) | part;
            }

            size += nibble switch { 13 => 13, 14 => 269, 15 => 65_805, _ => nibble };
            byte code = bytes[1 + extension];
            ReadOnlySpan<byte> token = bytes.Slice(2 + extension, tokenLength);
            ReadOnlySpan<byte> body = bytes.Slice(2 + extension + tokenLength, (int)size);
            string head = string.Create(CultureInfo.InvariantCulture, $"{code >> 5}.{code & 31:D2}");
            shown.Add($"{head}{(tokenLength > 0 ? $"/{Convert.ToHexString(token)}" : "")}{ShowBody(body)}");
            bytes = bytes[(2 + extension + tokenLength + (int)size)..];
        }

        return [.. shown];
    }

    private static string ShowBody(ReadOnlySpan<byte> body)
    {
        StringBuilder shown = new();
        int number = 0;
        while (!body.IsEmpty && body[0] != 0xff)
        {
            int first = body[0];
            body = body[1..];
            number += OptionValue(first >> 4, ref body);
            int length = OptionValue(first & 15, ref body);
            shown.Append(CultureInfo.InvariantCulture, $" {number}={Convert.ToHexString(body[..length])}");
            body = body[length..];
        }

        if (!body.IsEmpty)
        {
            string text = Encoding.UTF8.GetString(body[1..]);
            shown.Append(' ').Append(text.Length > 100 ? $"({text.Length} bytes)" : text);
        }

        return shown.ToString();
    }

    private static int OptionNibble(int value, List<byte> more)
    {
        if (value < 13)
        {
            return value;
        }

        if (value < 269)
        {
            more.Add((byte)(value - 13));
            return 13;
        }

        more.AddRange([(byte)((value - 269) >> 8), (byte)(value - 269)]);
        return 14;
    }

    private static int OptionValue(int nibble, ref ReadOnlySpan<byte> body)
    {
        int value = nibble switch { 13 => body[0] + 13, 14 => (body[0] << 8) + body[1] + 269, _ => nibble };
        body = body[(nibble switch { 13 => 1, 14 => 2, _ => 0 })..];
        return value;
    }
}
