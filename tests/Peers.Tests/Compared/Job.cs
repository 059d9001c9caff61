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

    /// <summary>Runs both commands, each in a place of its own, and gives what was seen of each.</summary>
    /// <param name="do">Does the other side's part and says what it saw.</param>
    public void Each<T>(Func<Shell, string, T> @do, out T usual, out T ours)
    {
        using (Shell shell = new())
        {
            usual = @do(shell, Usual);
        }

        using (Shell shell = new())
        {
            ours = @do(shell, Ours);
        }
    }

    /// <summary>A bar of a pipeline is written <c>\|</c> in a table.</summary>
    private static string Command(string cell) => cell.Replace("\\|", "|", StringComparison.Ordinal);

    [GeneratedRegex(@"^\| (?<job>[^|`]+?) \| `(?<usual>.+?)` \| `(?<ours>.+?)` \|", RegexOptions.ExplicitCapture)]
    private static partial Regex Row();

    [GeneratedRegex(@"[^\p{L}\p{Nd}]+")]
    private static partial Regex NotLetters();
}
