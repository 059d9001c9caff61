namespace Doorbell.Tests;

/// <summary>What would put a terminal into application mode is named in the live view alone, which ends that mode.</summary>
public sealed class TerminalTests
{
    [Theory]
    [InlineData("AnsiConsole.Write")]
    [InlineData("AnsiConsole.Live")]
    [InlineData("AnsiConsole.Markup")]
    [InlineData("AnsiConsole.Profile")]
    [InlineData("AnsiConsole.Console")]
    [InlineData("Console.ReadKey")]
    [InlineData("Console.BufferWidth")]
    [InlineData("Console.In.")]
    public void The_library_s_own_console_is_the_live_view_s_alone(string name)
    {
        string[] liveView = ["src/Doorbell.Cli/Printing/Impair/LiveView.cs", "src/Doorbell.Cli/Input/Keyboard.cs"];
        string[] others = [.. Repository.Files("src", "*.cs").Where(file => File.ReadAllText(file).Contains(name, StringComparison.Ordinal))
            .Select(Repository.Relative).Except(liveView)];
        Assert.True(others.Length == 0, $"{name} is in {string.Join(", ", others)}");
    }
}
