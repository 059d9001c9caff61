using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Doorbell.Sessions;

namespace Doorbell.Cli.Printing;

/// <summary>How <c>ask</c> prints a reply. A long one goes out in pieces, so that printing takes no memory of its size.</summary>
internal sealed class ReplyPrinter
{
    private const int PieceBytes = 16 * 1024;

    private readonly bool _json;
    private readonly bool _isEscaped;
    private readonly string _heading;
    private readonly Stream _output = StandardOutput.Open();
    private readonly ArrayBufferWriter<byte> _pending = new(4 * PieceBytes);

    public ReplyPrinter(bool raw, bool json)
    {
        _json = json;
        _heading = raw ? "" : "FROM SERVER: ";

        // Nothing a peer sends may drive the terminal.
        _isEscaped = !raw || !Console.IsOutputRedirected;
        IsRaw = raw;
    }

    /// <summary>Whether a reply is to be written as it came.</summary>
    public bool IsRaw { get; }

    public void Print(ReadOnlySpan<byte> reply, PeerAddress peer, int tries, TimeSpan elapsed)
    {
        if (_json)
        {
            WriteJson(reply, peer, tries, elapsed);
        }
        else
        {
            WriteText(reply);
        }

        _pending.Write("\n"u8);
        Flush();
    }

    /// <summary>Prints a datagram, or a CoAP body, whose end is no line's. Raw it is printed with its padding of NULs.</summary>
    public void PrintDatagram(ReadOnlySpan<byte> reply, PeerAddress peer, int tries, TimeSpan elapsed)
    {
        ReadOnlySpan<byte> asItCame = reply is [.. var line, (byte)'\n'] ? line : reply;
        Print(IsRaw ? asItCame : LineReply.OfDatagram(reply), peer, tries, elapsed);
    }

    private void WriteText(ReadOnlySpan<byte> reply)
    {
        _pending.Write(Encoding.UTF8.GetBytes(_heading));
        while (!reply.IsEmpty)
        {
            int length = PieceOf(reply);
            ReadOnlySpan<byte> piece = reply[..length];
            _pending.Write(_isEscaped ? Encoding.UTF8.GetBytes(PrintableText.Escape(piece, int.MaxValue)) : piece);
            FlushIfMuch();
            reply = reply[length..];
        }
    }

    private void WriteJson(ReadOnlySpan<byte> reply, PeerAddress peer, int tries, TimeSpan elapsed)
    {
        using Utf8JsonWriter writer = new(_pending);
        writer.WriteStartObject();
        bool isText = Utf8.IsValid(reply);
        writer.WritePropertyName(isText ? "reply" : "replyBase64");
        do
        {
            int length = PieceOf(reply);
            bool isLast = length == reply.Length;
            if (isText)
            {
                writer.WriteStringValueSegment(reply[..length], isLast);
            }
            else
            {
                writer.WriteBase64StringSegment(reply[..length], isLast);
            }

            writer.Flush();
            FlushIfMuch();
            reply = reply[length..];
        }
        while (!reply.IsEmpty);

        writer.WriteString("from", peer.ToString());
        writer.WriteNumber("tries", tries);
        writer.WriteNumber("milliseconds", Math.Round(elapsed.TotalMilliseconds, 3));
        writer.WriteEndObject();
    }

    private void FlushIfMuch()
    {
        if (_pending.WrittenCount >= PieceBytes)
        {
            Flush();
        }
    }

    private void Flush()
    {
        _output.Write(_pending.WrittenSpan);
        _pending.ResetWrittenCount();
    }

    /// <summary>The next piece's length. A character is never cut: a continuation byte of UTF-8 does not begin a piece.</summary>
    private static int PieceOf(ReadOnlySpan<byte> reply)
    {
        const int MaxContinuationBytes = 3;
        if (reply.Length <= PieceBytes)
        {
            return reply.Length;
        }

        int length = PieceBytes;
        while (length > PieceBytes - MaxContinuationBytes && (reply[length] & 0xc0) == 0x80)
        {
            length--;
        }

        return length;
    }
}
