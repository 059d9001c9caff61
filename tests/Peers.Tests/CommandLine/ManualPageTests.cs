using System.Text.RegularExpressions;

namespace Doorbell.Tests;

/// <summary>The manual page: two formatters have nothing against it, and what they show has all that the verbs' helps have.</summary>
public sealed partial class ManualPageTests
{
    private static readonly string _page = Doorbells.Run("native", "", "help", "--man").Output;

    [Fact]
    public void Mandoc_has_nothing_against_it()
    {
        Ended ended = Program.Run("mandoc", ["-T", "lint", "-W", "style"], _page);
        Assert.Equal((0, "", ""), (ended.ExitCode, ended.Output, ended.Error));
    }

    [Fact]
    public void Groff_has_nothing_against_it()
    {
        Ended ended = Program.Run("groff", ["-ww", "-man", "-T", "utf8"], _page);
        Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
    }

    [Fact]
    public void It_has_each_verb_option_and_example()
    {
        // Without the break of lines and the backspaces that make letters bold.
        Ended shown = Program.Run("mandoc", ["-T", "utf8", "-O", "width=500"], _page);
        string page = Spaces().Replace(Bold().Replace(shown.Output, ""), " ");
        foreach (string verb in VerbLine().Matches(Help("").Split("Commands:\n")[1]).Select(static line => line.Groups[1].Value))
        {
            Assert.Contains($"doorbell {verb}", page, StringComparison.Ordinal);
            string[] parts = Help(verb).Split("Examples:\n");
            foreach (string option in OptionName().Matches(parts[0]).Select(static line => line.Groups[1].Value))
            {
                Assert.True(option == "--help" || page.Contains(option, StringComparison.Ordinal), $"{verb}: no {option}");
            }

            foreach (string line in parts[1].Split('\n').Where(static line => line is [' ', ' ', not ' ', ..]))
            {
                Assert.Contains(Spaces().Replace(line, " "), page, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void It_is_the_page_that_man_shows()
    {
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, _page);
            Ended shown = Program.Run("env", ["MANPAGER=cat", "LC_ALL=C.UTF-8", "man", "--local-file", file]);
            Assert.Equal(0, shown.ExitCode);
            Assert.Contains("DOORBELL(1)", shown.Output, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string Help(string verb) => Doorbells.Run(
        "native", "", [.. verb.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]).Output;

    [GeneratedRegex(@"^  ([a-z-]+) ", RegexOptions.Multiline)]
    private static partial Regex VerbLine();

    [GeneratedRegex("^ +(?:-\\w, )*(--[a-z0-9-]+)", RegexOptions.Multiline)]
    private static partial Regex OptionName();

    [GeneratedRegex(@".\x08")]
    private static partial Regex Bold();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
