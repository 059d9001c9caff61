using System.Buffers.Binary;
using System.Text;
using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Server;

/// <summary>What a response says besides its body.</summary>
internal readonly record struct CoapResponse(CoapCode Code)
{
    public ulong? ETag { get; init; }

    /// <summary>A notification's sequence number.</summary>
    public uint? Observe { get; init; }

    public int? ContentFormat { get; init; }

    public uint? MaxAge { get; init; }

    public CoapBlock? Block2 { get; init; }

    public CoapBlock? Block1 { get; init; }

    public uint? Size2 { get; init; }

    public uint? Size1 { get; init; }

    public ulong? Echo { get; init; }

    /// <summary>
    /// What is wrong with the request, in a few words, of a response of class 4 or 5 whose payload is empty (RFC 7252 section 5.5.2).
    /// </summary>
    public string? Diagnostic { get; init; }

    /// <summary>Writes the options, in the order of their numbers, and the payload.</summary>
    public void Write(ref CoapWriter writer, scoped ReadOnlySpan<byte> payload)
    {
        WriteOptions(ref writer);
        if (payload.IsEmpty && Diagnostic is { } diagnostic)
        {
            writer.TextPayload(diagnostic);
            return;
        }

        writer.Payload(payload);
    }

    /// <summary>The payload, or in the place of an empty one what is wrong with the request.</summary>
    public ReadOnlySpan<byte> PayloadOf(ReadOnlySpan<byte> payload) =>
        payload.IsEmpty && Diagnostic is { } diagnostic ? Encoding.UTF8.GetBytes(diagnostic) : payload;

    /// <summary>Writes the options, in the order of their numbers.</summary>
    public void WriteOptions(ref CoapWriter writer)
    {
        WriteBytes(ref writer, CoapOptionNumber.ETag, ETag);
        WriteOption(ref writer, CoapOptionNumber.Observe, Observe);
        WriteOption(ref writer, CoapOptionNumber.ContentFormat, (uint?)ContentFormat);
        WriteOption(ref writer, CoapOptionNumber.MaxAge, MaxAge);
        WriteOption(ref writer, CoapOptionNumber.Block2, Block2?.Value);
        WriteOption(ref writer, CoapOptionNumber.Block1, Block1?.Value);
        WriteOption(ref writer, CoapOptionNumber.Size2, Size2);
        WriteOption(ref writer, CoapOptionNumber.Size1, Size1);
        WriteBytes(ref writer, CoapOptionNumber.Echo, Echo);
    }

    private static void WriteBytes(ref CoapWriter writer, int number, ulong? value)
    {
        if (value is { } known)
        {
            Span<byte> bytes = stackalloc byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64BigEndian(bytes, known);
            writer.Option(number, bytes);
        }
    }

    private static void WriteOption(ref CoapWriter writer, int number, uint? value)
    {
        if (value is { } known)
        {
            writer.Option(number, known);
        }
    }
}
