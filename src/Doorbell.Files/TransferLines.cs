using System.Globalization;
using System.Text;
using Doorbell.Native;

namespace Doorbell.Files;

/// <summary>Lines and bytes of one connection, as docs/files.md describes them.</summary>
internal sealed class TransferLines(Stream connection)
{
    public const string Greeting = "doorbell-files 1";
    public const string End = "end";
    public const string Ok = "ok";

    /// <summary>So much is there, and is kept if it fits.</summary>
    public const string Have = "have";

    /// <summary>The whole file is there, and no other one gets its name.</summary>
    public const string Only = "only";
    private const string No = "no ";
    private const int MaxLine = 4096;
    private const int MaxReason = 500;

    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;

    /// <summary>The next line.</summary>
    /// <exception cref="TransferException">The connection was cut, the peer refuses, or speaks something else.</exception>
    public async Task<string> ReadAsync(CancellationToken cancellation)
    {
        StringBuilder line = new();
        while (true)
        {
            await FillAsync(cancellation).ConfigureAwait(false);
            int length = Array.IndexOf(_buffer, (byte)'\n', _start, _end - _start) - _start;
            bool isWhole = length >= 0;
            line.Append(Encoding.Latin1.GetString(_buffer, _start, isWhole ? length : _end - _start));
            _start = isWhole ? _start + length + 1 : _end;
            if (line.Length > MaxLine)
            {
                throw new TransferException("the peer does not speak this protocol: its line has no end", isCut: false);
            }

            if (isWhole)
            {
                string text = line.ToString();
                return text.StartsWith(No, StringComparison.Ordinal)
                    ? throw new TransferException(
                        $"the peer refuses: {PrintableText.Escape(Unescape(text[No.Length..]) ?? "")}", isCut: false)
                    : text;
            }
        }
    }

    /// <summary>The words of the next line, which has so many and begins with this one; the word itself is left out.</summary>
    public async Task<string[]> ReadAsync(string word, int words, CancellationToken cancellation)
    {
        string line = await ReadAsync(cancellation).ConfigureAwait(false);
        string[] all = line.Split(' ');
        return all.Length == words + 1 && all[0] == word ? all[1..] : throw Misunderstood(line);
    }

    /// <summary>Some of the bytes that follow, at most so many.</summary>
    public async Task<ReadOnlyMemory<byte>> ReadBytesAsync(long most, CancellationToken cancellation)
    {
        await FillAsync(cancellation).ConfigureAwait(false);
        int count = (int)Math.Min(most, _end - _start);
        ReadOnlyMemory<byte> bytes = _buffer.AsMemory(_start, count);
        _start += count;
        return bytes;
    }

    public async Task WriteAsync(string line, CancellationToken cancellation) =>
        await WriteAsync(Encoding.ASCII.GetBytes(line + "\n"), cancellation).ConfigureAwait(false);

    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        try
        {
            await connection.WriteAsync(bytes, cancellation).ConfigureAwait(false);
            await connection.FlushAsync(cancellation).ConfigureAwait(false);
        }
        catch (IOException failure)
        {
            throw Cut(failure);
        }
    }

    /// <summary>Tells the peer why nothing more comes of it, as far as it listens, and fails.</summary>
    public async Task<TransferException> RefuseAsync(string why, CancellationToken cancellation)
    {
        try
        {
            await WriteAsync(No + Shortened(Escape(why)), cancellation).ConfigureAwait(false);
        }
        catch (TransferException)
        {
            // It has gone, and hears nothing.
        }

        return new TransferException(why, isCut: false);
    }

    /// <summary>As much of an escaped text as a reason may have; a byte that is escaped as % and two digits stays whole.</summary>
    private static string Shortened(string escaped)
    {
        if (escaped.Length <= MaxReason)
        {
            return escaped;
        }

        int percent = escaped.LastIndexOf('%', MaxReason - 1, 2);
        return escaped[..(percent < 0 ? MaxReason : percent)];
    }

    /// <summary>What the system says of it is inside of what .NET says.</summary>
    private static TransferException Cut(IOException failure) =>
        new($"the connection was cut: {FileFailure.Why(failure.InnerException ?? failure)}", isCut: true);

    public static TransferException Misunderstood(string line)
    {
        const int Shown = 100;
        string said = PrintableText.Escape(line[..Math.Min(line.Length, Shown)]);
        return new TransferException($"the peer does not speak this protocol: it said \"{said}\"", isCut: false);
    }

    /// <summary>Why a file is refused.</summary>
    public static string Exists(string name) => $"{PrintableText.Escape(name)} exists already, and is another file";

    /// <summary>A number of bytes; null if it is none.</summary>
    public static long? Number(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;

    /// <summary>
    /// As one word of ASCII: what is none of its printable letters, and the percent sign, is % and two hexadecimal digits.
    /// </summary>
    public static string Escape(string text)
    {
        StringBuilder escaped = new();
        foreach (byte letter in SystemText.ToBytes(text))
        {
            bool isPlain = letter is > (byte)' ' and < 0x7f and not (byte)'%';
            escaped.Append(isPlain ? ((char)letter).ToString() : $"%{letter:x2}");
        }

        return escaped.ToString();
    }

    /// <summary>The text again; null if it was not escaped so.</summary>
    public static string? Unescape(string escaped)
    {
        List<byte> bytes = [];
        for (int i = 0; i < escaped.Length; i++)
        {
            byte letter = (byte)escaped[i];
            if (letter == '%')
            {
                if (i + 2 >= escaped.Length
                    || !byte.TryParse(escaped.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out letter))
                {
                    return null;
                }

                i += 2;
            }

            bytes.Add(letter);
        }

        return SystemText.FromBytes([.. bytes]);
    }

    private async Task FillAsync(CancellationToken cancellation)
    {
        if (_start < _end)
        {
            return;
        }

        try
        {
            _start = 0;
            _end = await connection.ReadAsync(_buffer, cancellation).ConfigureAwait(false);
        }
        catch (IOException failure)
        {
            throw Cut(failure);
        }

        if (_end == 0)
        {
            throw new TransferException("the connection was cut: the peer has ended it", isCut: true);
        }
    }
}
