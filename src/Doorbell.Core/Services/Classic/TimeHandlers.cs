using System.Buffers.Binary;

namespace Doorbell;

/// <summary>The time protocol (RFC 868): seconds since 1900 in 32 bits, to whoever connects or sends a datagram.</summary>
internal static class TimeHandlers
{
    private static readonly DateTimeOffset _epoch = new(1900, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static ReadOnlySpan<byte> Seconds(DateTimeOffset utcNow, Span<byte> buffer)
    {
        long seconds = (utcNow - _epoch).Ticks / TimeSpan.TicksPerSecond;
        BinaryPrimitives.WriteUInt32BigEndian(buffer, unchecked((uint)seconds));
        return buffer;
    }

    internal sealed class TimeStream : StreamHandler
    {
        public override Next OnOpen(Turn turn)
        {
            turn.Output.Write(Seconds(turn.UtcNow, stackalloc byte[4]));
            turn.CountRequests(1);
            return Next.Close;
        }

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => Step.More(input.Length);
    }

    internal sealed class TimeDatagrams : DatagramHandler
    {
        public override void OnDatagram(Datagram datagram, DatagramTurn turn)
        {
            turn.Reply(Seconds(turn.UtcNow, stackalloc byte[4]));
            turn.CountRequests(1);
        }
    }
}
