using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Doorbell.Coap;

/// <summary>A body on its way in blocks: a request's that is being collected, or an answer's that is being fetched.</summary>
internal sealed class CoapBody
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    /// <summary>When it was asked for, or added to, last.</summary>
    public TimeSpan Touched { get; set; }

    public ReadOnlySpan<byte> Bytes => _bytes.WrittenSpan;

    public int Length => _bytes.WrittenCount;

    /// <summary>An answer's code and format.</summary>
    public CoapResponse Answer { get; init; }

    /// <summary>Of an answer to a request that came in blocks, the last one's number; otherwise -1.</summary>
    public int LastRequestBlock { get; init; } = -1;

    /// <summary>Names an answer's bytes, so that nobody mixes the blocks of two (RFC 7959 section 2.4).</summary>
    public ulong ETag { get; private set; }

    public void Add(ReadOnlySpan<byte> bytes) => _bytes.Write(bytes);

    /// <summary>The first 8 bytes of the body's SHA-256: the same body computed again has the same.</summary>
    public static ulong ETagOf(ReadOnlySpan<byte> body)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(body, hash);
        return BinaryPrimitives.ReadUInt64BigEndian(hash);
    }

    /// <summary>An answer's body, whole.</summary>
    public static CoapBody Of(CoapResponse answer, ReadOnlySpan<byte> bytes, int lastRequestBlock)
    {
        CoapBody body = new() { Answer = answer, LastRequestBlock = lastRequestBlock, ETag = ETagOf(bytes) };
        body.Add(bytes);
        return body;
    }
}
