using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Doorbell.Cli.Input;
using Doorbell.Sessions;

namespace Doorbell.Cli.Printing;

/// <summary>
/// How <c>ask</c> prints a reply. A long one goes out in pieces, so that printing takes no memory of its size, and each write ends with
/// the question's time.
/// </summary>
internal sealed class ReplyPrinter
{
    private const int PieceBytes = 16 * 1024;

    /// <summary>A write that is under way when time is up has so long to end: most do at once, and then what came is printed.</summary>
    private static readonly TimeSpan _lastWrite = TimeSpan.FromSeconds(1);

    private readonly string _heading;
    private readonly Stream _output = StandardOutput.Open();
    private readonly ArrayBufferWriter<byte> _pending = new(4 * PieceBytes);

    /// <summary>Null where bytes are written as they came.</summary>
    private readonly TerminalText? _escaped;
    private readonly bool _hasSeveralLines;

    /// <summary>Whether the reply so far ends with an end of line.</summary>
    private bool _endsLine;

    /// <param name="raw">Whether a reply is written alone, as it came.</param>
    /// <param name="json">Whether it is written as JSON.</param>
    /// <param name="hasSeveralLines">Whether a reply may have several lines, which stay lines.</param>
    public ReplyPrinter(bool raw, bool json, bool hasSeveralLines = false)
    {
        _heading = raw ? "" : "FROM SERVER: ";

        // Nothing a peer sends may drive the terminal.
        bool isEscaped = !raw || !Console.IsOutputRedirected;
        _escaped = !isEscaped ? null
            : hasSeveralLines ? new TerminalText(static bytes => PrintableText.EscapeKeepingLines(bytes))
            : new TerminalText(static bytes => PrintableText.Escape(bytes, int.MaxValue));
        _hasSeveralLines = hasSeveralLines;
        IsRaw = raw;
        IsJson = json;
    }

    /// <summary>Whether a reply is to be written as it came.</summary>
    public bool IsRaw { get; }

    /// <summary>Whether a reply is printed whole: only all of it tells whether it is text.</summary>
    public bool IsJson { get; }

    /// <summary>Whether the heading of a reply has its sender, as there are several.</summary>
    public bool NamesPeers { get; set; }

    /// <summary>Whether a piece of a reply was printed, and its end was not.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Prints a piece of a reply, behind which more comes. Not for JSON.</summary>
    /// <param name="piece">What came.</param>
    /// <param name="limit">Time is up.</param>
    /// <exception cref="StandardStreamException">Nobody reads on.</exception>
    public async ValueTask PrintPieceAsync(ReadOnlyMemory<byte> piece, CancellationToken limit)
    {
        Begin();
        await WriteTextAsync(piece, limit);
        await FlushAsync(limit);
    }

    /// <summary>Prints a reply, or what came of it behind its pieces.</summary>
    /// <exception cref="StandardStreamException">Nobody reads on.</exception>
    public async Task PrintAsync(ReadOnlyMemory<byte> reply, PeerAddress peer, int tries, TimeSpan elapsed, CancellationToken limit)
    {
        if (IsJson)
        {
            await WriteJsonAsync(reply, peer, tries, elapsed, limit);
        }
        else
        {
            Begin(NamesPeers && !IsRaw ? $"FROM {peer}: " : null);
            await WriteTextAsync(reply, limit);
            Write(_escaped?.Rest() ?? "");
            HasBegun = false;
        }

        if (IsJson || !_hasSeveralLines || !_endsLine)
        {
            _pending.Write("\n"u8);
        }

        _endsLine = false;
        await FlushAsync(limit);
    }

    /// <summary>Prints a datagram, or a CoAP body, whose end is no line's. Raw it is printed with its padding of NULs.</summary>
    /// <exception cref="StandardStreamException">Nobody reads on.</exception>
    public Task PrintDatagramAsync(byte[] reply, PeerAddress peer, int tries, TimeSpan elapsed, CancellationToken limit)
    {
        int length = !IsRaw ? LineReply.OfDatagram(reply).Length : reply is [.., (byte)'\n'] ? reply.Length - 1 : reply.Length;
        return PrintAsync(reply.AsMemory(0, length), peer, tries, elapsed, limit);
    }

    private void Begin(string? heading = null)
    {
        if (!HasBegun)
        {
            Write(heading ?? _heading);
            HasBegun = true;
        }
    }

    private void Write(string text) => _pending.Write(Encoding.UTF8.GetBytes(text));

    private async ValueTask WriteTextAsync(ReadOnlyMemory<byte> reply, CancellationToken limit)
    {
        while (!reply.IsEmpty)
        {
            ReadOnlyMemory<byte> piece = reply[..Math.Min(PieceBytes, reply.Length)];
            _endsLine = piece.Span[^1] == (byte)'\n';
            if (_escaped is null)
            {
                _pending.Write(piece.Span);
            }
            else
            {
                Write(_escaped.Escape(piece.Span));
            }

            reply = reply[piece.Length..];
            await FlushIfMuchAsync(limit);
        }
    }

    private async Task WriteJsonAsync(
        ReadOnlyMemory<byte> reply, PeerAddress peer, int tries, TimeSpan elapsed, CancellationToken limit)
    {
        await using Utf8JsonWriter writer = new(_pending);
        writer.WriteStartObject();
        bool isText = Utf8.IsValid(reply.Span);
        writer.WritePropertyName(isText ? "reply" : "replyBase64");
        do
        {
            int length = Math.Min(PieceBytes, reply.Length);
            bool isLast = length == reply.Length;
            if (isText)
            {
                writer.WriteStringValueSegment(reply.Span[..length], isLast);
            }
            else
            {
                writer.WriteBase64StringSegment(reply.Span[..length], isLast);
            }

            await writer.FlushAsync(CancellationToken.None);
            await FlushIfMuchAsync(limit);
            reply = reply[length..];
        }
        while (!reply.IsEmpty);

        writer.WriteString("from", peer.ToString());
        writer.WriteNumber("tries", tries);
        writer.WriteNumber("milliseconds", Math.Round(elapsed.TotalMilliseconds, 3));
        writer.WriteEndObject();
    }

    private ValueTask FlushIfMuchAsync(CancellationToken limit) => _pending.WrittenCount >= PieceBytes ? FlushAsync(limit) : default;

    /// <summary>A write that nobody reads blocks its thread, which ends with the process.</summary>
    private async ValueTask FlushAsync(CancellationToken limit)
    {
        Task write = Task.Run(() => _output.Write(_pending.WrittenSpan), CancellationToken.None);
        try
        {
            await write.WaitAsync(limit);
        }
        catch (OperationCanceledException)
        {
            await EndedAsync(write);
        }

        _pending.ResetWrittenCount();
    }

    private static async Task EndedAsync(Task write)
    {
        try
        {
            await write.WaitAsync(_lastWrite);
        }
        catch (TimeoutException)
        {
            throw new StandardStreamException(
                "write standard output: time ran out before its reader had taken the reply; allow more with --timeout");
        }
    }
}
