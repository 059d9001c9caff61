using System.CommandLine;

namespace Doorbell.Cli.Arguments;

/// <summary>A program that gets connections: <c>--exec PROGRAM [ARGUMENT…]</c> or <c>--shell COMMAND</c>.</summary>
internal sealed class ProgramArguments
{
    /// <summary>The option that ends the command's own arguments.</summary>
    public const string ExecOption = "--exec";

    /// <summary>The verbs that give connections to programs.</summary>
    private static readonly string[] _verbs = ["serve", "connect", "listen"];

    private readonly string[]? _program;

    // For --help alone: what stands behind it is taken away before the rest is parsed.
    private readonly Option<string?> _exec;
    private readonly Option<string?> _shell;

    /// <param name="what">What it gets, which the help says before the colon.</param>
    /// <param name="program">What stood behind <c>--exec</c>; null if that was not given.</param>
    public ProgramArguments(string what, string[]? program)
    {
        _program = program;
        _exec = new Option<string?>(ExecOption)
        {
            Description = $"{what}: this program, with all the arguments behind it",
            HelpName = "PROGRAM [ARGUMENT…]",
        };
        _shell = new Option<string?>("--shell")
        {
            Description = $"{what}: this command line, run by /bin/sh",
            HelpName = "COMMAND",
        };
    }

    /// <summary>Takes <c>--exec</c> and all behind it away from the arguments: they are a program's own, whatever they look like.</summary>
    public static string[]? Take(ref string[] arguments)
    {
        int exec = arguments is [string verb, ..] && _verbs.Contains(verb) ? Array.IndexOf(arguments, ExecOption) : -1;
        if (exec < 0)
        {
            return null;
        }

        string[] program = arguments[(exec + 1)..];
        arguments = arguments[..exec];
        return program;
    }

    public void AddTo(Command command)
    {
        command.Add(_exec);
        command.Add(_shell);
    }

    /// <summary>The program; null if none was given.</summary>
    /// <exception cref="ArgumentException">Both were given, or one without what it takes.</exception>
    public ServiceProgram? Read(ParseResult parsed) => (_program, parsed.GetValue(_shell)) switch
    {
        (null, null) => null,
        (null, { Length: > 0 } shell) => ServiceProgram.Shell(shell),
        ([{ Length: > 0 }, ..], null) => new ServiceProgram(_program[0], _program[1..]),
        (not null, not null) => throw new ArgumentException("--exec and --shell exclude each other"),
        _ => throw new ArgumentException("--exec takes a program and its arguments, --shell a command line"),
    };
}
