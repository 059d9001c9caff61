namespace Doorbell.Tests;

/// <summary>A command line that can't be understood: one line names the word, and what it could be.</summary>
public sealed class WrongUsageTests
{
    [Theory]
    [InlineData("nosuch", "\"nosuch\" is no command: give one of serve, ask, connect, options, demo, bench, impair, relay")]
    [InlineData("", "a command is missing: give one of serve, ask, connect, options, demo, bench, impair, relay")]
    [InlineData("bench nosuch", "\"nosuch\" is no command: give one of models")]
    [InlineData("impair", "LISTEN is missing")]
    [InlineData("impair 7000", "UPSTREAM is missing")]
    [InlineData("connect", "ENDPOINT is missing")]
    [InlineData("impair 1 2 3", "Unrecognized command or argument '3'.")]
    public void The_wrong_or_missing_word_is_named(string arguments, string expected)
    {
        string[] words = arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Ended ended = Doorbells.Run("native", "", words);
        string verb = words is [] or ["nosuch"] ? "" : $"{words[0]} ";
        Assert.Equal((2, ""), (ended.ExitCode, ended.Output));
        Assert.Equal($"doorbell: {expected} (doorbell {verb}--help lists what there is)\n", ended.Error);
    }
}
