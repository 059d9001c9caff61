namespace Doorbell.Tests.Documents;

/// <summary>
/// A fenced block of README.md or of a page in docs. Its info string says what it is: a language, then perhaps the name of the file that
/// the reader makes of it, or <c>no-run:</c> and the reason why no test runs it.
/// </summary>
internal sealed record FencedBlock(string Page, int Line, string Kind, string? File, string? WhyNotRun, string Text)
{
    private const string Fence = "```";
    private const string NotRun = " no-run: ";

    /// <summary>What a <c>sh</c> block before it prints.</summary>
    public const string Output = "text output";

    /// <summary>Nothing that a program reads or writes.</summary>
    public const string Drawing = "text drawing";

    private static readonly string[] _languagesOfFiles = ["awk", "c", "csharp", "perl", "python", "script"];

    public static IReadOnlyList<string> Pages { get; } =
    [
        "README.md",
        .. Directory.GetFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Select(static file => Path.GetRelativePath(Repository.Root, file))
            .Order(StringComparer.Ordinal),
    ];

    public static IEnumerable<FencedBlock> All => Pages.SelectMany(OfPage);

    public bool IsOfFile => File is not null;

    public static IEnumerable<FencedBlock> OfPage(string page)
    {
        string[] lines = System.IO.File.ReadAllLines(Path.Combine(Repository.Root, page));
        for (int i = 0; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith(Fence, StringComparison.Ordinal))
            {
                continue;
            }

            int end = Array.IndexOf(lines, Fence, i + 1);
            Assert.True(end > i, $"{page}:{i + 1}: the block does not end");
            yield return Of(page, i + 1, lines[i][Fence.Length..], string.Join('\n', lines[(i + 1)..end]) + "\n");
            i = end;
        }
    }

    public override string ToString() => $"{Page}:{Line}: {Kind}";

    private static FencedBlock Of(string page, int line, string info, string text)
    {
        string[] parts = info.Split(NotRun, 2);
        string[] words = parts[0].Split(' ', 2);
        bool isFile = words.Length == 2 && _languagesOfFiles.Contains(words[0]);
        return new FencedBlock(
            page, line, isFile ? words[0] : parts[0], isFile ? words[1] : null, parts.Length == 2 ? parts[1] : null, text);
    }
}
