using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Doorbell.Tests.Compared;

/// <summary>
/// A row of docs/compared.md: a job, the usual command for it, and ours. The test of the row "Send a file" is a method
/// <c>Send_a_file</c> of a class <c>…Jobs</c>; it takes the commands from the row.
/// </summary>
internal sealed partial record Job(string Name, string Usual, string Ours)
{
    public static IReadOnlyList<Job> All { get; } = [.. File.ReadLines(Path.Combine(Repository.Root, "docs", "compared.md"))
        .Select(static line => Row().Match(line))
        .Where(static row => row.Success)
        .Select(static row => new Job(row.Groups["job"].Value, Command(row.Groups["usual"].Value), Command(row.Groups["ours"].Value)))];

    /// <summary>The method's name of the row's test.</summary>
    public string TestName => NotLetters().Replace(Name, "_").Trim('_');

    /// <summary>The row of the test that asks.</summary>
    public static Job Here([CallerMemberName] string test = "") => All.Single(job => job.TestName == test);

    /// <summary>Runs both commands, each in a place of its own: the usual one does what is expected, and ours does the same.</summary>
    /// <param name="expected">What is seen.</param>
    /// <param name="see">Does the other side's part and says what it saw.</param>
    public void BothDo<T>(T expected, Func<Shell, string, T> see)
    {
        T usual = In(Usual);
        T ours = In(Ours);
        Assert.Equal(expected, usual);
        Assert.Equal(usual, ours);

        T In(string command)
        {
            using Shell shell = new();
            return see(shell, command);
        }
    }

    /// <summary>A bar of a pipeline is written <c>\|</c> in a table.</summary>
    private static string Command(string cell) => cell.Replace("\\|", "|", StringComparison.Ordinal);

    [GeneratedRegex(@"^\| (?<job>[^|`]+?) \| `(?<usual>.+?)` \| `(?<ours>.+?)` \|", RegexOptions.ExplicitCapture)]
    private static partial Regex Row();

    [GeneratedRegex(@"[^\p{L}\p{Nd}]+")]
    private static partial Regex NotLetters();
}
