using System.Text.RegularExpressions;

namespace Doorbell.Tests.Documents;

/// <summary>
/// The commands of a page do what the page says, as they are typed: one line after the other, by <c>sh</c>, in a folder outside of the
/// repository, in a network of its own. A server goes on for the rest of its page and is then ended by SIGTERM.
/// </summary>
public sealed class DocumentedCommandTests
{
    public static TheoryData<string> Pages =>
    [
        .. FencedBlock.All.Where(static block => block is { Kind: "sh", WhyNotRun: null }).Select(static block => block.Page).Distinct(),
    ];

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_pages_commands_do_what_it_says(string page)
    {
        using Reader reader = new();
        FencedBlock[] blocks = [.. FencedBlock.OfPage(page).Where(static block => block.WhyNotRun is null)];
        foreach (FencedBlock file in blocks.Where(static block => block.IsOfFile))
        {
            reader.Save(file.File!, file.Text);
        }

        foreach (FencedBlock block in blocks)
        {
            if (block.Kind == "sh")
            {
                foreach (string line in Lines(block.Text))
                {
                    reader.Types(line);
                }
            }
            else if (block.Kind == FencedBlock.Output)
            {
                reader.Sees(Pattern(block.Text));
            }
        }

        reader.EndsServers();
    }

    /// <summary>The lines that are typed: one that ends in a backslash goes on in the next.</summary>
    private static IEnumerable<string> Lines(string text) =>
        text.Replace("\\\n", "", StringComparison.Ordinal).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(static line => !line.StartsWith('#'));

    /// <summary>An ellipsis stands for whatever comes in its place.</summary>
    private static Regex Pattern(string text) =>
        new("^" + Regex.Escape(text).Replace("…", "[^$]*", StringComparison.Ordinal), RegexOptions.CultureInvariant);
}
