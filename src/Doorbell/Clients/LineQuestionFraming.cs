using Doorbell.Sessions;

namespace Doorbell.Clients;

/// <summary>Questions that are lines, and a greeting that is one, whatever the replies are.</summary>
internal abstract class LineQuestionFraming() : AnswerFraming(Framing.Line)
{
    public override byte[] Frame(ReadOnlySpan<byte> message) => message.ContainsAny((byte)'\n', (byte)0)
        ? throw new ArgumentException("a line to ask can't hold an LF or a NUL, which end it; use Connector.ConnectAsync for other bytes")
        : [.. message, (byte)'\n'];

    public override bool TryFindGreeting(ReadOnlySpan<byte> received, out Frame frame)
    {
        int consumed = LineReply.TryRead(received, out ReadOnlySpan<byte> line);
        frame = new Frame(consumed - received[..consumed].TrimStart((byte)0).Length, line.Length, consumed);
        return consumed > 0;
    }
}
