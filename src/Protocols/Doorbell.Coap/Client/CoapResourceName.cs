using System.Text;

namespace Doorbell.Coap.Client;

/// <summary>The options that name a resource, of a request to be sent.</summary>
internal static class CoapResourceName
{
    /// <summary>Of a Uri-Path, Uri-Query or Uri-Host option (RFC 7252 section 5.10).</summary>
    public const int MaxSegmentBytes = 255;

    /// <summary>Header, token, formats, Block1, Block2, Size1, Echo, Request-Tag, the payload's marker, with their lengths.</summary>
    private const int OtherBytes = 96;

    /// <summary>Most bytes that all but the body takes.</summary>
    /// <exception cref="ArgumentException">No method, or a part longer than 255 bytes.</exception>
    public static int OptionBytes(CoapClientRequest request)
    {
        if (!request.Method.IsRequest)
        {
            throw new ArgumentException($"{request.Method} is no method");
        }

        int bytes = OtherBytes + (request.Host is { } host ? PartBytes(host) : 0);
        ReadOnlySpan<char> path = PathOf(request);
        foreach (Range segment in path.Split('/'))
        {
            bytes += PartBytes(path[segment]);
        }

        foreach (string argument in request.Query)
        {
            bytes += PartBytes(argument);
        }

        return bytes;
    }

    /// <summary>Without the slash before it.</summary>
    public static ReadOnlySpan<char> PathOf(CoapClientRequest request) => request.Path.AsSpan().TrimStart('/');

    private static int PartBytes(ReadOnlySpan<char> part)
    {
        int bytes = Encoding.UTF8.GetByteCount(part);
        return bytes <= MaxSegmentBytes ? bytes + 3 : throw new ArgumentException($"{bytes} bytes in one part; at most 255 go");
    }
}
