using System.CommandLine;

namespace Doorbell.Cli.Arguments;

/// <summary>How <c>ask</c> speaks with a server over a stream: who begins, and where a reply ends.</summary>
internal sealed class StreamArguments
{
    private readonly Option<bool> _greeting = new("--greeting")
    {
        Description = "Streams: the server speaks first; its first line is no answer",
    };

    private readonly Option<string?> _until = new("--until")
    {
        Description = "Streams: a reply has several lines; the last one is TEXT, or /EXPRESSION/ is found in it, as in --until . for POP3",
        HelpName = "TEXT",
    };

    private readonly Option<bool> _halfClose = new("--half-close")
    {
        Description = "Streams: half-close behind each question; its reply is all until the server's end",
    };

    private readonly Option<bool> _reconnect = new("--reconnect") { Description = "Streams: a new connection for each question" };

    private readonly Option<string?> _script = new("--script")
    {
        Description = "Streams: carry out this file, which says what is sent and what is expected, and print what comes",
        HelpName = "FILE",
    };

    public IReadOnlyList<Option> Options => [_greeting, _until, _halfClose, _reconnect, _script];

    /// <summary>Whether what is sent and what comes is dumped; of datagrams too.</summary>
    public Option<bool> Hex { get; } = CommonOptions.Hex();

    public void AddTo(Command command)
    {
        command.Add(Hex);
        foreach (Option option in Options)
        {
            command.Add(option);
        }
    }

    /// <exception cref="ArgumentException">Options exclude each other, or an expression is none.</exception>
    public StreamDialogue Read(ParseResult parsed)
    {
        TextPattern? last = parsed.GetValue(_until) is { } word ? TextPattern.Parse(word) : null;
        if (last is not null && parsed.GetValue(_halfClose))
        {
            throw new ArgumentException(
                "--until and --half-close exclude each other: a reply ends with its last line, or with the connection");
        }

        Option? other = parsed.FirstGiven(Options.Where(option => option != _script));
        if (parsed.GetValue(_script) is not null && other is not null)
        {
            throw new ArgumentException($"--script and {other.Name} exclude each other: the script says all that is sent and expected");
        }

        return new StreamDialogue(parsed.GetValue(_greeting), last, parsed.GetValue(_halfClose), parsed.GetValue(_reconnect))
        {
            Script = parsed.GetValue(_script) is { } file ? Script.Read(file) : null,
        };
    }
}

/// <summary>How <c>ask</c> speaks with a server over a stream.</summary>
/// <param name="ReadsGreeting">Whether the server speaks first.</param>
/// <param name="LastLine">The last line of each reply; null if every reply is one line.</param>
/// <param name="HalfCloses">Whether our side ends behind each question, so that its reply is all until the server's end.</param>
/// <param name="Reconnects">Whether each question has a connection of its own.</param>
internal sealed record StreamDialogue(bool ReadsGreeting, TextPattern? LastLine, bool HalfCloses, bool Reconnects)
{
    /// <summary>What is sent and expected in the place of questions and replies; null for those.</summary>
    public Script? Script { get; init; }

    /// <summary>Whether a reply may have more than one line.</summary>
    public bool HasSeveralLines => LastLine is not null || HalfCloses;
}
