namespace Doorbell.Cli.Input;

/// <summary>What <c>ask</c> is to ask: a text's lines, or standard input's, each as soon as it is there.</summary>
internal sealed class Questions
{
    /// <summary>A longer line of standard input is refused.</summary>
    private const int MaxLineBytes = 64 * 1024 * 1024;
    private const int FirstBytes = 64 * 1024;

    private readonly Stream _input;
    private readonly bool _prompts;
    private byte[] _read = new byte[FirstBytes];
    private int _start;
    private int _end;

    /// <summary>Bytes of the line known to hold no LF, so that a long one is searched once.</summary>
    private int _searched;

    private Questions(string? text)
    {
        _prompts = text is null && !Console.IsInputRedirected && !Console.IsOutputRedirected;
        _input = text is null
            ? StandardInput.Open()
            : new MemoryStream(SystemText.ToBytes(text.Length == 0 ? "\n" : text));
    }

    private ReadOnlySpan<byte> Unread => _read.AsSpan(_start, _end - _start);

    /// <summary>The lines without their LF. A CR before it is the question's.</summary>
    /// <param name="text">The lines; null for standard input's.</param>
    /// <param name="end">How they are to end.</param>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> Lines(string? text, LineEnd end)
    {
        Questions questions = new(text);
        while (await questions.NextAsync() is { } line)
        {
            yield return end == LineEnd.CrLf && line is not [.., (byte)'\r'] ? [.. line, (byte)'\r'] : line;
        }
    }

    /// <summary>The same as datagrams, which have an end without a line's. So they have an LF only where CR and LF are asked for.</summary>
    /// <param name="text">The lines; null for standard input's.</param>
    /// <param name="end">How they are to end.</param>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> Datagrams(string? text, LineEnd end)
    {
        await foreach (ReadOnlyMemory<byte> line in Lines(text, end))
        {
            yield return end == LineEnd.CrLf ? (byte[])[.. line.Span, (byte)'\n'] : line;
        }
    }

    private async Task<byte[]?> NextAsync()
    {
        if (_prompts)
        {
            Console.Error.Write("> ");
        }

        while (true)
        {
            int end = Unread[_searched..].IndexOf((byte)'\n');
            if (end >= 0)
            {
                byte[] line = Take(_searched + end);
                _start++;
                return line;
            }

            _searched = Unread.Length;
            if (_searched > MaxLineBytes)
            {
                throw new ArgumentException(
                    $"a line of standard input is longer than {MaxLineBytes} bytes; use `doorbell connect` for streams");
            }

            MakeRoom();
            int count = await _input.ReadAsync(_read.AsMemory(_end));
            if (count == 0)
            {
                return Unread.IsEmpty ? null : Take(Unread.Length);
            }

            _end += count;
        }
    }

    private byte[] Take(int length)
    {
        byte[] line = Unread[..length].ToArray();
        _start += length;
        _searched = 0;
        return line;
    }

    private void MakeRoom()
    {
        if (_end < _read.Length)
        {
            return;
        }

        ReadOnlySpan<byte> unread = Unread;
        byte[] room = _start > 0 ? _read : new byte[2 * _read.Length];
        unread.CopyTo(room);
        (_read, _start, _end) = (room, 0, unread.Length);
    }
}
