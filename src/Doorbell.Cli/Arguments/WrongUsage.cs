using System.CommandLine;
using System.CommandLine.Parsing;

namespace Doorbell.Cli.Arguments;

/// <summary>What is wrong with a command line: which word, or which is missing, and what it could be.</summary>
internal static class WrongUsage
{
    /// <summary>Words a command line that is not understood.</summary>
    /// <param name="parsed">What the parser made of it.</param>
    /// <param name="arguments">Its words.</param>
    /// <returns>What is wrong, in one line; null if it is understood.</returns>
    public static string? Of(ParseResult parsed, IReadOnlyList<string> arguments)
    {
        string? what = Directive(parsed) ?? UnknownOption(parsed) ?? FlagWithValue(parsed, arguments)
            ?? (parsed.Errors.Count > 0 ? Error(parsed) : null);
        if (what is null)
        {
            return null;
        }

        string verbs = "";
        for (SymbolResult? at = parsed.CommandResult; at is CommandResult { Parent: not null } part; at = at.Parent)
        {
            verbs = $"{part.Command.Name} {verbs}";
        }

        return $"{what} (doorbell {verbs}--help lists what there is)";
    }

    /// <summary>A first word in brackets, which the parser would take for an order to itself.</summary>
    private static string? Directive(ParseResult parsed)
    {
        Token? directive = parsed.Tokens.FirstOrDefault(static token => token.Type == TokenType.Directive);
        return directive is null
            ? null
            : $"\"{PrintableText.Escape(directive.Value)}\" is no command: give one of {Verbs(parsed.RootCommandResult.Command)}";
    }

    private static IEnumerable<string> Names(Command command) =>
        command.Subcommands.Where(static verb => !verb.Hidden).Select(static verb => verb.Name);

    private static string Verbs(Command command) => string.Join(", ", Names(command));

    /// <summary>
    /// A word that begins with a hyphen and is no option. The parser takes it for a text or an endpoint, and a question would be sent that
    /// nobody meant. Behind <c>--</c> any word is a text (XBD 12.2, guideline 10, of POSIX).
    /// </summary>
    private static string? UnknownOption(ParseResult parsed)
    {
        IEnumerable<Token> words = parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(static argument => argument.Tokens);
        HashSet<Token> ofArguments = new(words, ReferenceEqualityComparer.Instance);
        HashSet<string> unmatched = [.. parsed.UnmatchedTokens];
        Token? unknown = parsed.Tokens.TakeWhile(static token => token.Type != TokenType.DoubleDash).FirstOrDefault(
            token => token.Value is ['-', _, ..] && (ofArguments.Contains(token) || unmatched.Contains(token.Value)));
        if (unknown is null)
        {
            return null;
        }

        string word = PrintableText.Escape(unknown.Value);
        bool takesText = parsed.CommandResult.Command.Arguments.Any(static argument => argument.Name == TextArgument);
        string? near = NearName.Of(unknown.Value.Split('=')[0], Options(parsed));
        return (near, takesText) switch
        {
            (null, _) when NetcatWord.Hint(parsed.CommandResult.Command.Name, unknown.Value) is { } hint => $"{word} is no option: {hint}",
            (null, false) => $"{word} is no option",
            (null, true) => $"{word} is no option; a text that begins with a hyphen stands behind --",
            (_, false) => $"{word} is no option: did you mean {near}?",
            (_, true) => $"{word} is no option: did you mean {near}? A text that begins with a hyphen stands behind --",
        };
    }

    /// <summary>The options of the verb that was called, without their single letters, to which each other letter would be near.</summary>
    private static IEnumerable<string> Options(ParseResult parsed) => parsed.CommandResult.Command.Options
        .Concat(parsed.RootCommandResult.Command.Options.Where(static option => option.Recursive))
        .Select(static option => option.Name);

    /// <summary>As in <c>--json=maybe</c>, of which the parser makes the flag and a word of its own.</summary>
    private static string? FlagWithValue(ParseResult parsed, IReadOnlyList<string> arguments)
    {
        IEnumerable<string> flags = parsed.CommandResult.Command.Options.OfType<Option<bool>>().SelectMany(
            static option => option.Aliases.Append(option.Name));
        HashSet<string> known = [.. flags];
        string? word = arguments.TakeWhile(static word => word != "--").FirstOrDefault(
            word => word.IndexOf('=') is > 0 and int equals && known.Contains(word[..equals]));
        return word is null
            ? null
            : $"{word[..word.IndexOf('=')]} takes no value, and was given \"{PrintableText.Escape(word[(word.IndexOf('=') + 1)..])}\"";
    }

    /// <summary>The name of an argument that may be any text.</summary>
    public const string TextArgument = "TEXT";

    /// <summary>The near verb alone, since all of them are many.</summary>
    private static string Meant(string word, Command command) =>
        NearName.Of(word, Names(command)) is { } near
            ? $"did you mean {near}?"
            : $"give one of {Verbs(command)}";

    private static string Error(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        string verbs = Verbs(command);
        if (verbs.Length > 0)
        {
            return parsed.UnmatchedTokens is [string word, ..]
                ? $"\"{PrintableText.Escape(word)}\" is no {(command.Name == "completion" ? "shell that is known here" : "command")}: "
                    + Meant(word, command)
                : $"a command is missing: give one of {verbs}";
        }

        Argument? missing = command.Arguments.FirstOrDefault(
            argument => parsed.GetResult(argument) is not { Tokens.Count: > 0 } && argument.Arity.MinimumNumberOfValues > 0);
        return missing is not null ? $"{missing.HelpName ?? missing.Name} is missing" : OfOption(parsed) ?? parsed.Errors[0].Message;
    }

    /// <summary>An option without its value, or with one too many, in our words: the parser's name types of .NET.</summary>
    private static string? OfOption(ParseResult parsed)
    {
        if (parsed.Errors[0].SymbolResult is not OptionResult result || result.IdentifierToken is not { } option)
        {
            return parsed.UnmatchedTokens is [string word, ..] ? $"\"{PrintableText.Escape(word)}\" is one word too many" : null;
        }

        string value = result.Option.HelpName ?? "value";
        return result switch
        {
            { Tokens.Count: 0 } => $"{option.Value} is given without its {value}",
            { Tokens.Count: > 1 } when result.Option.Arity.MaximumNumberOfValues == 1 => $"{option.Value} is given twice: give one {value}",
            _ => null,
        };
    }
}
