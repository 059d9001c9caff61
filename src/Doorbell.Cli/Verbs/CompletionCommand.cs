using System.CommandLine;
using Doorbell.Cli.Printing;

namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell completion SHELL</c>: a script with which a shell completes the command's words.</summary>
internal static class CompletionCommand
{
    /// <summary>Whom the scripts ask, at each press of the key.</summary>
    private const string Words = "words";

    public static Verb Make()
    {
        Verb command = new(
            "completion",
            "Print a script with which a shell completes verbs, options and their values",
            [
                new("doorbell completion bash >doorbell.bash", "For a line of ~/.bashrc: . ~/doorbell.bash"),
                new("doorbell completion zsh >_doorbell", "For a folder of zsh's $fpath"),
                new("doorbell completion fish >doorbell.fish", "For ~/.config/fish/completions"),
                new("doorbell completion powershell >doorbell.ps1", "For PowerShell's $PROFILE"),
            ]);
        foreach ((string shell, string script) in CompletionScripts.All)
        {
            Command printed = new(shell, $"Print the script for {shell}");
            printed.SetAction(parsed => parsed.InvocationConfiguration.Output.Write(script));
            command.Add(printed);
        }

        command.Add(Answering());
        return command;
    }

    /// <summary>Prints a word a line, and behind a tab what it means.</summary>
    private static Command Answering()
    {
        Argument<string[]> words = new("WORD") { Arity = ArgumentArity.ZeroOrMore };
        Command answering = new(Words, "Print what may stand where a command line ends; the scripts ask it") { words };
        answering.Hidden = true;
        answering.SetAction(parsed =>
        {
            foreach ((string word, string meaning) in Completions.Of(parsed.RootCommandResult.Command, parsed.GetValue(words) ?? []))
            {
                parsed.InvocationConfiguration.Output.WriteLine(meaning.Length == 0 ? word : $"{word}\t{meaning}");
            }
        });
        return answering;
    }
}
