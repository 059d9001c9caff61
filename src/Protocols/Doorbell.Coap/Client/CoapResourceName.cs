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
    /// <exception cref="ArgumentException">No method, a part longer than 255 bytes, or a segment that is one or two dots.</exception>
    public static int OptionBytes(CoapClientRequest request)
    {
        if (!request.Method.IsRequest)
        {
            throw new ArgumentException($"{request.Method} is no method");
        }

        if (request.Observes && request.Method != CoapCode.Get)
        {
            throw new ArgumentException($"a resource is observed by GET, not by {request.Method} (RFC 7641 section 2)");
        }

        if (request.Collects && (request.IsConfirmable || request.Observes))
        {
            throw new ArgumentException("a group is asked by non-confirmable requests, and not observed (RFC 7252 section 8.1)");
        }

        int bytes = OtherBytes + (request.Host is { } host ? PartBytes(host) : 0);
        foreach (string segment in request.Path.Segments)
        {
            bytes += segment is not ("." or "..")
                ? PartBytes(segment)
                : throw new ArgumentException(
                    $"a segment of the path {request.Path} is \"{segment}\" (RFC 7252 section 5.10.1): resolve it first");
        }

        foreach (string argument in request.Query)
        {
            bytes += PartBytes(argument);
        }

        return bytes;
    }

    private static int PartBytes(string part)
    {
        int bytes = Encoding.UTF8.GetByteCount(part);
        return bytes <= MaxSegmentBytes
            ? bytes + 3
            : throw new ArgumentException(
                $"a host, a segment or an argument has {bytes} bytes, and its option has at most 255 (RFC 7252 section 5.10): shorten it");
    }
}
