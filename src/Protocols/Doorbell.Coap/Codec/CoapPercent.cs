using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Doorbell.Coap.Codec;

/// <summary>Percent-encoding (RFC 3986 section 2.1) of the parts of a CoAP URI, whose characters are UTF-8 (RFC 7252 section 6).</summary>
internal static class CoapPercent
{
    private const string Unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    /// <summary>Characters that stand for themselves in a segment of a path (RFC 7252 section 6.5, step 6).</summary>
    private static readonly SearchValues<byte> _segment = SearchValues.Create(Encoding.ASCII.GetBytes(Unreserved + "!$&'()*+,;=:@"));

    /// <summary>
    /// Characters that stand for themselves in an argument. Step 8 of section 6.5 allows the slash too. The example of Appendix B encodes
    /// it, which means the same, and this follows the example.
    /// </summary>
    private static readonly SearchValues<byte> _argument = SearchValues.Create(Encoding.ASCII.GetBytes(Unreserved + "!$'()*+,;=:@?"));

    /// <summary>Throws at bytes that are not UTF-8, which the usual one replaces.</summary>
    private static readonly UTF8Encoding _strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>A segment as it stands in a URI.</summary>
    public static string EncodeSegment(string segment) => Encode(segment, _segment);

    /// <summary>An argument as it stands in a URI.</summary>
    public static string EncodeArgument(string argument) => Encode(argument, _argument);

    /// <summary>Turns each percent-encoding into its byte, and reads all bytes as UTF-8.</summary>
    /// <param name="text">A part of a URI, cut out before.</param>
    /// <param name="decoded">What it means.</param>
    /// <param name="error">Otherwise what is wrong with it.</param>
    public static bool TryDecode(string text, [NotNullWhen(true)] out string? decoded, [NotNullWhen(false)] out string? error)
    {
        decoded = null;
        error = null;
        try
        {
            ArrayBufferWriter<byte> bytes = new();
            ReadOnlySpan<char> rest = text;
            for (int at = rest.IndexOf('%'); at >= 0; at = rest.IndexOf('%'))
            {
                _strict.GetBytes(rest[..at], bytes);
                string encoding = new(rest.Slice(at, Math.Min(3, rest.Length - at)));
                if (encoding.Length < 3 || !char.IsAsciiHexDigit(encoding[1]) || !char.IsAsciiHexDigit(encoding[2]))
                {
                    error = "behind a percent sign stand two hexadecimal digits (RFC 3986 section 2.1); the sign itself is written %25";
                    return false;
                }

                bytes.Write(Convert.FromHexString(encoding.AsSpan(1)));
                rest = rest[(at + 3)..];
            }

            _strict.GetBytes(rest, bytes);
            decoded = _strict.GetString(bytes.WrittenSpan);
            return true;
        }
        catch (ArgumentException)
        {
            error = "its percent-encoded bytes are no UTF-8, and the options of a CoAP URI are text (RFC 7252 section 3.2)";
            return false;
        }
    }

    private static string Encode(string text, SearchValues<byte> plain)
    {
        StringBuilder encoded = new();
        foreach (byte each in Encoding.UTF8.GetBytes(text))
        {
            _ = plain.Contains(each) ? encoded.Append((char)each) : encoded.Append('%').Append(Convert.ToHexString([each]));
        }

        return encoded.ToString();
    }
}
