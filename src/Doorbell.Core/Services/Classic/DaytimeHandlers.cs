using System.Globalization;
using System.Text.Unicode;

namespace Doorbell;

/// <summary>The daytime protocol (RFC 867): the date and time as a line of text, to whoever connects or sends a datagram.</summary>
internal static class DaytimeHandlers
{
    private static ReadOnlySpan<byte> Line(DateTimeOffset utcNow, Span<byte> buffer)
    {
        Utf8.TryWrite(buffer, CultureInfo.InvariantCulture, $"{utcNow:dddd, MMMM d, yyyy HH:mm:ss}-UTC\r\n", out int written);
        return buffer[..written];
    }

    internal sealed class DaytimeStream : StreamHandler
    {
        public override Next OnOpen(Turn turn)
        {
            turn.Output.Write(Line(turn.UtcNow, stackalloc byte[64]));
            turn.CountRequests(1);
            return Next.Close;
        }

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => Step.More(input.Length);
    }

    internal sealed class DaytimeDatagrams : DatagramHandler
    {
        public override void OnDatagram(Datagram datagram, DatagramTurn turn)
        {
            turn.Reply(Line(turn.UtcNow, stackalloc byte[64]));
            turn.CountRequests(1);
        }
    }
}
