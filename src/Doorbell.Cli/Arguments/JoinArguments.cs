using System.CommandLine;

namespace Doorbell.Cli.Arguments;

/// <summary>How <c>connect</c> and <c>listen</c> join a socket to standard input and output, or to a program.</summary>
internal sealed class JoinArguments
{
    private readonly Option<bool> _noHalfClose = new("--no-half-close")
    {
        Description = "Keep the sending side open after the end of standard input",
    };

    private readonly Option<bool> _raw = new("--raw") { Description = "At a terminal, show control characters unescaped" };

    private readonly Option<bool> _crlf =
        CommonOptions.CarriageReturns("Send CR and LF for each LF of standard input that has no CR");

    private readonly Option<Duration?> _idle =
        CommonOptions.OptionalDuration("--idle-timeout", "End if no byte moves for so long [default: never]");

    private readonly Option<bool> _hex = CommonOptions.Hex();

    private readonly ProgramArguments _programs;

    /// <param name="program">What stood behind <c>--exec</c>; null if that was not given.</param>
    public JoinArguments(string[]? program) =>
        _programs = new ProgramArguments("Join a program to the connection instead; its exit code is the command's", program);

    private IReadOnlyList<Option> Options => [_noHalfClose, _idle, _crlf, _raw, _hex];

    public void AddTo(Command command)
    {
        foreach (Option option in Options)
        {
            command.Add(option);
        }

        _programs.AddTo(command);
    }

    /// <summary>Whether the end of input ends our side of the connection.</summary>
    public bool HalfCloses(ParseResult parsed) => !parsed.GetValue(_noHalfClose);

    /// <summary>Whether what could drive a terminal is escaped: at a terminal, unless it is not to be.</summary>
    public bool Escapes(ParseResult parsed) => !Console.IsOutputRedirected && !parsed.GetValue(_raw);

    /// <summary>Whether an LF of standard input becomes CRLF.</summary>
    public bool AddsCarriageReturns(ParseResult parsed) => parsed.GetValue(_crlf);

    /// <summary>Whether what goes both ways is dumped to standard error.</summary>
    public bool Dumps(ParseResult parsed) => parsed.GetValue(_hex);

    /// <summary>How long no byte may move; null for ever.</summary>
    public TimeSpan? IdleTimeout(ParseResult parsed) => parsed.GetValue(_idle)?.Time;

    /// <summary>The program to join; null for standard input and output.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="others">Other options of the verb that a program leaves without effect.</param>
    /// <exception cref="ArgumentException">An option has no effect on a program.</exception>
    public ServiceProgram? Program(ParseResult parsed, params IReadOnlyList<Option> others)
    {
        ServiceProgram? program = _programs.Read(parsed);
        Option? set = program is null ? null : parsed.FirstGiven(Options.Concat(others));
        return set is null
            ? program
            : throw new ArgumentException(
                $"{set.Name} has no effect with --exec and --shell: the program has the socket itself, and reads and writes as it likes");
    }
}
