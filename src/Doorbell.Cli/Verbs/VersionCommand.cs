namespace Doorbell.Cli.Verbs;

/// <summary><c>doorbell version</c>: the same as <c>doorbell --version</c>.</summary>
internal static class VersionCommand
{
    public static Verb Make()
    {
        Verb command = new("version", "Print the version", [new("doorbell version", "The same as doorbell --version and doorbell -V")]);
        command.SetAction(static parsed =>
            parsed.RootCommandResult.Command.Parse(["--version"]).Invoke(parsed.InvocationConfiguration));
        return command;
    }
}
