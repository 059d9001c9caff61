using System.CommandLine;
using System.CommandLine.Parsing;

namespace Doorbell.Cli.Arguments;

/// <summary>What is wrong with a command line that can't be parsed: which word, or which is missing, and what it could be.</summary>
internal static class WrongUsage
{
    /// <param name="parsed">With at least one error.</param>
    public static string Wording(ParseResult parsed)
    {
        string verbs = "";
        for (SymbolResult? at = parsed.CommandResult; at is CommandResult { Command: not RootCommand } part; at = at.Parent)
        {
            verbs = $"{part.Command.Name} {verbs}";
        }

        return $"{What(parsed)} (doorbell {verbs}--help lists what there is)";
    }

    private static string What(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        string verbs = string.Join(", ", command.Subcommands.Select(static verb => verb.Name));
        if (verbs.Length > 0)
        {
            return parsed.UnmatchedTokens is [string word, ..]
                ? $"\"{PrintableText.Escape(word)}\" is no command: give one of {verbs}"
                : $"a command is missing: give one of {verbs}";
        }

        Argument? missing = command.Arguments.FirstOrDefault(
            argument => parsed.GetResult(argument) is not { Tokens.Count: > 0 } && argument.Arity.MinimumNumberOfValues > 0);
        return missing is null ? parsed.Errors[0].Message : $"{missing.HelpName ?? missing.Name} is missing";
    }
}
