using System.Text.RegularExpressions;

namespace Doorbell.Tests;

/// <summary><c>doorbell demo loss</c> as a user runs it.</summary>
public sealed partial class LossDemoTests
{
    /// <summary>Most of a minute it waits for what was lost.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(4);

    [Fact]
    public void It_shows_that_CoAP_doubles_no_effect_and_draws_it()
    {
        string picture = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".svg");
        using Program demo = Doorbells.Start("native", "demo", "loss", "--plot", picture);
        Ended ended = demo.WaitForEnd(_patience);
        Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
        Row[] rows = [.. ended.Output.Split('\n').Select(static line => Rows().Match(line)).Where(static row => row.Success).Select(Read)];
        Assert.Equal(20, rows.Length);
        Assert.Equal(5 * 3 * 320, rows.Sum(static row => row.Asked));
        Assert.All(rows[..4], static row => Assert.Equal((0, 0), (row.Failed, row.Doubled)));
        Assert.All(rows.Where(static row => row.Way != "a datagram, sent again"), static row => Assert.Equal(0, row.Doubled));
        Assert.Contains(rows, static row => row.Doubled > 0);
        Assert.Contains("</svg>", File.ReadAllText(picture), StringComparison.Ordinal);
        File.Delete(picture);
    }

    [Fact]
    public void Interrupted_it_stops_its_servers_and_says_so()
    {
        using Program demo = Doorbells.Start("native", "demo", "loss");
        demo.WaitForLine("clients ask");
        demo.Signal("INT");
        Ended ended = demo.WaitForEnd();
        Assert.Equal((130, "doorbell: demo loss: interrupted; its servers have been stopped\n"), (ended.ExitCode, ended.Error));
    }

    private static Row Read(Match row) => new(
        row.Groups["way"].Value, Number(row, "asked"), Number(row, "failed"), Number(row, "doubled"));

    private static int Number(Match row, string column) =>
        int.Parse(row.Groups[column].Value, System.Globalization.CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(?<way>a datagram, sent \w+|CoAP, [a-z ]+\w) +(?<asked>\d+) +[0-9.]+% +(?<failed>\d+) +(?<doubled>\d+) ")]
    private static partial Regex Rows();

    private sealed record Row(string Way, int Asked, int Failed, int Doubled);
}
