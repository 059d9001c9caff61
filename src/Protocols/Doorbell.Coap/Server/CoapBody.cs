using System.Buffers.Binary;
using System.Buffers;
using System.Security.Cryptography;

namespace Doorbell.Coap.Server;

/// <summary>A body on its way in blocks: a request's that is being collected, or a response's that is being fetched.</summary>
internal sealed class CoapBody
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    /// <summary>When a block was last asked for, or added.</summary>
    public TimeSpan Touched { get; set; }

    public ReadOnlySpan<byte> Bytes => _bytes.WrittenSpan;

    public int Length => _bytes.WrittenCount;

    /// <summary>A response's code and format.</summary>
    public CoapResponse Response { get; init; }

    /// <summary>Of a response to a request that came in blocks, the number of the request's last block; otherwise -1.</summary>
    public int LastRequestBlock { get; init; } = -1;

    /// <summary>Names a response's bytes, so that a client does not mix the blocks of two bodies (RFC 7959 section 2.4).</summary>
    public ulong ETag { get; private set; }

    public void Add(ReadOnlySpan<byte> bytes) => _bytes.Write(bytes);

    /// <summary>The first 8 bytes of the body's SHA-256: the same body computed again has the same.</summary>
    public static ulong ETagOf(ReadOnlySpan<byte> body)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(body, hash);
        return BinaryPrimitives.ReadUInt64BigEndian(hash);
    }

    /// <summary>A response's whole body.</summary>
    public static CoapBody Of(CoapResponse response, ReadOnlySpan<byte> bytes, int lastRequestBlock)
    {
        CoapBody body = new() { Response = response, LastRequestBlock = lastRequestBlock, ETag = ETagOf(bytes) };
        body.Add(bytes);
        return body;
    }
}
