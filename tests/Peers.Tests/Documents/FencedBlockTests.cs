namespace Doorbell.Tests.Documents;

/// <summary>Every fenced block of README.md and docs is checked by a test, or says itself why not.</summary>
public sealed class FencedBlockTests(ITestOutputHelper output)
{
    private const int MostNotRun = 6;

    [Fact]
    public void Every_block_is_of_a_kind_that_a_test_checks()
    {
        FencedBlock[] unknown = [.. FencedBlock.All.Where(static block => block.WhyNotRun is null && !IsChecked(block))];
        Assert.True(unknown.Length == 0, $"no test checks {string.Join(", ", unknown.AsEnumerable())}");
    }

    [Fact]
    public void Few_blocks_are_not_run_and_each_says_why()
    {
        FencedBlock[] notRun = [.. FencedBlock.All.Where(static block => block.WhyNotRun is not null)];
        foreach (FencedBlock block in notRun)
        {
            output.WriteLine($"{block}: {block.WhyNotRun}");
        }

        output.WriteLine($"{notRun.Length} of {FencedBlock.All.Count()} blocks are not run");
        Assert.InRange(notRun.Length, 0, MostNotRun);
    }

    /// <summary>A file's block is used by the commands of its page; the others have a class of tests each.</summary>
    private static bool IsChecked(FencedBlock block) => block.Kind switch
    {
        "csharp" or "sh" or "json" => true,
        FencedBlock.Output => FollowsCommands(block),
        FencedBlock.Drawing => !block.Text.Contains("doorbell", StringComparison.Ordinal),
        _ => block.IsOfFile && IsNamedByCommands(block),
    };

    private static bool FollowsCommands(FencedBlock output) =>
        FencedBlock.OfPage(output.Page).TakeWhile(block => block.Line < output.Line).LastOrDefault() is { Kind: "sh", WhyNotRun: null };

    private static bool IsNamedByCommands(FencedBlock file) => FencedBlock.OfPage(file.Page).Any(
        block => block is { Kind: "sh", WhyNotRun: null } && block.Text.Contains(file.File!, StringComparison.Ordinal));
}
