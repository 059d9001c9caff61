using System.Buffers.Binary;

namespace Doorbell.Tests;

/// <summary>The peer of a layered server, in the tests' own words: it makes records, and reads those that come back.</summary>
internal static class RecordPeer
{
    public static byte[] Handshake => [.. Record(RecordLayer.Hello, "client"u8), .. Record(RecordLayer.Done, "client"u8)];

    public static byte[] End => Record(RecordLayer.Close, []);

    public static byte[] Record(byte type, ReadOnlySpan<byte> body)
    {
        byte[] record = [type, (byte)(body.Length >> 8), (byte)body.Length, .. body];
        RecordLayer.Turn(body, record.AsSpan(RecordLayer.HeaderBytes));
        return record;
    }

    /// <summary>Data in records of any size.</summary>
    public static byte[] Wrapped(ReadOnlySpan<byte> plain, Random random)
    {
        List<byte> all = [];
        while (!plain.IsEmpty)
        {
            int length = 1 + random.Next(Math.Min(plain.Length, RecordLayer.MaxPlain));
            all.AddRange(Record(RecordLayer.Data, plain[..length]));
            plain = plain[length..];
        }

        return [.. all];
    }

    /// <summary>What the records hold, and their types in order, each run of data once.</summary>
    public static (byte[] Plain, byte[] Types) Unwrapped(ReadOnlySpan<byte> wire)
    {
        List<byte> plain = [];
        List<byte> types = [];
        while (wire.Length >= RecordLayer.HeaderBytes)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(wire[1..]);
            if (wire.Length < RecordLayer.HeaderBytes + length)
            {
                break;
            }

            byte[] body = new byte[length];
            RecordLayer.Turn(wire.Slice(RecordLayer.HeaderBytes, length), body);
            if (wire[0] == RecordLayer.Data)
            {
                plain.AddRange(body);
            }

            if (wire[0] != RecordLayer.Data || types.Count == 0 || types[^1] != RecordLayer.Data)
            {
                types.Add(wire[0]);
            }

            wire = wire[(RecordLayer.HeaderBytes + length)..];
        }

        return ([.. plain], [.. types]);
    }
}
