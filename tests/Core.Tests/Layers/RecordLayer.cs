using System.Buffers.Binary;
using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>
/// A layer as TLS is one, without its cryptography: the client says hello, the server answers, the client says that it has finished; then
/// both send records of at most <see cref="MaxPlain"/> bytes, each behind a type and a length, their bytes turned by a key; each side says
/// its end before the FIN; what is no record is answered with an alert.
/// </summary>
internal sealed class RecordLayer(bool isClient = false) : StreamLayer
{
    public const byte Hello = 1;
    public const byte Done = 2;
    public const byte Data = 3;
    public const byte Close = 4;
    public const byte Alert = 5;
    public const int MaxPlain = 100;

    internal const int HeaderBytes = 3;
    private const byte Key = 0x5a;

    private int _handshakes;

    public override int MaxUnitBytes => HeaderBytes + MaxPlain;

    public override object? Fact => this;

    public int Finishes { get; private set; }

    public override LayerState Begin(OutputBuffer wire)
    {
        if (isClient)
        {
            Write(wire, Hello, "client"u8);
        }

        return LayerState.Opening;
    }

    public override Unwrapped Unwrap(ReadOnlySpan<byte> came, Span<byte> plain, OutputBuffer wire)
    {
        LayerState state = _handshakes == (isClient ? 1 : 2) ? LayerState.Open : LayerState.Opening;
        if (came.Length < HeaderBytes)
        {
            return new Unwrapped(0, 0, state);
        }

        int length = BinaryPrimitives.ReadUInt16BigEndian(came[1..]);
        if (came[0] is < Hello or > Alert || length > MaxPlain)
        {
            Failure = "no record";
            Write(wire, Alert, []);
            return new Unwrapped(0, 0, LayerState.Failed);
        }

        return came.Length < HeaderBytes + length
            ? new Unwrapped(0, 0, state)
            : Take(came[0], came.Slice(HeaderBytes, length), plain, wire, state);
    }

    public override void Wrap(ReadOnlySpan<byte> plain, OutputBuffer wire)
    {
        while (!plain.IsEmpty)
        {
            int length = Math.Min(plain.Length, MaxPlain);
            Write(wire, Data, plain[..length]);
            plain = plain[length..];
        }
    }

    public override void Finish(OutputBuffer wire)
    {
        Finishes++;
        Write(wire, Close, []);
    }

    private Unwrapped Take(byte type, ReadOnlySpan<byte> body, Span<byte> plain, OutputBuffer wire, LayerState state)
    {
        int whole = HeaderBytes + body.Length;
        switch (type, state)
        {
            case (Hello, LayerState.Opening) when _handshakes == 0:
                _handshakes++;
                Write(wire, isClient ? Done : Hello, "ours"u8);
                return new Unwrapped(whole, 0, isClient ? LayerState.Open : LayerState.Opening);
            case (Done, LayerState.Opening) when _handshakes == 1:
                _handshakes++;
                return new Unwrapped(whole, 0, LayerState.Open);
            case (Data, LayerState.Open):
                Turn(body, plain);
                return new Unwrapped(whole, body.Length, LayerState.Open);
            case (Close, LayerState.Open):
                return new Unwrapped(whole, 0, LayerState.PeerFinished);
            default:
                Failure = $"a record of type {type} while {state}";
                Write(wire, Alert, []);
                return new Unwrapped(whole, 0, LayerState.Failed);
        }
    }

    private static void Write(OutputBuffer wire, byte type, ReadOnlySpan<byte> body)
    {
        Span<byte> record = wire.GetSpan(HeaderBytes + body.Length);
        record[0] = type;
        BinaryPrimitives.WriteUInt16BigEndian(record[1..], (ushort)body.Length);
        Turn(body, record[HeaderBytes..]);
        wire.Advance(HeaderBytes + body.Length);
    }

    internal static void Turn(ReadOnlySpan<byte> from, Span<byte> to)
    {
        for (int i = 0; i < from.Length; i++)
        {
            to[i] = (byte)(from[i] ^ Key);
        }
    }
}
