using System.CommandLine;

namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell help [VERB]</c>: the same as <c>doorbell VERB --help</c>.</summary>
internal static class HelpCommand
{
    public static Verb Make()
    {
        Argument<string[]> words = new("VERB")
        {
            HelpName = "VERB",
            Description = "The verb, as in serve or bench models [default: an overview]",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<bool> man = new("--man") { Description = "Print the manual page of all verbs, in roff, for man(1)" };
        Verb command = new(
            "help",
            "Say what a verb does, with its options and examples",
            [
                new("doorbell help", "Lists the verbs"),
                new("doorbell help serve", "Lists all that serve takes, with examples: the same as doorbell serve --help"),
                new("doorbell help --man >doorbell.1", "Makes the manual page, for man ./doorbell.1"),
            ])
        {
            words, man,
        };
        words.CompletionSources.Add(_ => VerbsOf(command));
        command.SetAction(parsed =>
        {
            Command doorbell = parsed.RootCommandResult.Command;
            if (parsed.GetValue(man))
            {
                parsed.InvocationConfiguration.Output.Write(ManualPage.Of(doorbell));
                return 0;
            }

            Command meant = (parsed.GetValue(words) ?? []).Aggregate(doorbell, Find);
            string[] path = meant == doorbell ? [] : parsed.GetValue(words)!;
            return doorbell.Parse([.. path, "--help"]).Invoke(parsed.InvocationConfiguration);
        });
        return command;
    }

    /// <summary>The verbs beside this one.</summary>
    private static IEnumerable<string> VerbsOf(Verb help) =>
        help.Parents.OfType<Command>().Single().Subcommands.Where(static verb => !verb.Hidden).Select(static verb => verb.Name);

    private static Command Find(Command parent, string name)
    {
        if (parent.Subcommands.FirstOrDefault(verb => verb.Name == name) is { } found)
        {
            return found;
        }

        string[] names = [.. parent.Subcommands.Where(static verb => !verb.Hidden).Select(static verb => verb.Name)];
        throw new ArgumentException(names.Length == 0
            ? $"\"{PrintableText.Escape(name)}\" is one word too many: {parent.Name} has no verbs of its own"
            : $"\"{PrintableText.Escape(name)}\" is no command: {NearName.Advice(name, names)}");
    }
}
