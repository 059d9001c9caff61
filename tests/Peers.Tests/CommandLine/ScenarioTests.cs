using CsCheck;
using Doorbell.Lab.Impair.Faults;
using Doorbell.Lab.Impair.Scenarios;
using Doorbell.Links;

namespace Doorbell.Tests;

/// <summary>Faults that change by the clock, in virtual time.</summary>
public sealed class ScenarioTests
{
    private static readonly FaultWords _words = new(streams: false, "");

    [Fact]
    public void What_is_set_for_a_time_ends_with_it_and_what_was_set_before_is_there_again()
    {
        FaultTimeline timeline = Play("at 5s loss 20% for 10s", "at 20s rate 1m", "at 30s clear", "at 0s loss 1%");
        (double At, string Faults)[] expected =
        [
            (0, "loss 1%"), (4.9999, "loss 1%"), (5, "loss 20%"), (14.9999, "loss 20%"), (15, "loss 1%"), (20, "loss 1% rate 1m,64k"),
            (30, "nothing is impaired"), (1000, "nothing is impaired"),
        ];
        foreach ((double at, string faults) in expected)
        {
            timeline.Advance(TimeSpan.FromSeconds(at));
            Assert.Equal((at, faults), (at, _words.Show(timeline.Now)));
        }
    }

    [Fact]
    public void It_tells_when_it_changes_next()
    {
        FaultTimeline timeline = Play("at 20s rate 1m", "at 5s loss 20% for 10s");
        double[] times = [0, 5, 15, 20];
        Assert.All(times.Zip(times[1..]), pair =>
            Assert.Equal(TimeSpan.FromSeconds(pair.Second), timeline.Advance(TimeSpan.FromSeconds(pair.First))));
        Assert.Equal(TimeSpan.MaxValue, timeline.Advance(TimeSpan.FromSeconds(20)));
    }

    /// <summary>The model looks at the whole scenario each time; what is under test goes on from where it was.</summary>
    [Fact]
    public void Whatever_is_written_and_whenever_one_looks_the_faults_are_those_of_that_time() => Gen.Select(
        Gen.Int[0, 20], Gen.Int[-1, 12], Gen.OneOfConst("loss", "delay", "duplicate", "clear"), Gen.Int[1, 9])
        .List[1, 12].Select(Gen.Int[0, 40].List[1, 20])
        .Sample(static (lines, looks) =>
        {
            ScenarioStep[] steps = [.. lines.Select(static line => Scenario.ParseLine(line switch
            {
                (var at, _, "clear", _) => $"at {at}s clear",
                (var at, < 0, "delay", var value) => $"at {at}s delay {value}ms",
                (var at, var time, "delay", var value) => $"at {at}s delay {value}ms for {time}s",
                (var at, < 0, var name, var value) => $"at {at}s {name} {value}%",
                (var at, var time, var name, var value) => $"at {at}s {name} {value}% for {time}s",
            }, _words))];
            FaultTimeline timeline = new(_words, BothFaults.None);
            Array.ForEach(steps, step => timeline.Add(step, TimeSpan.Zero));
            foreach (int look in looks.Order())
            {
                timeline.Advance(TimeSpan.FromSeconds(look));
                Assert.Equal(Model(steps, TimeSpan.FromSeconds(look)), timeline.Now);
            }
        });

    [Fact]
    public void A_link_loses_in_that_time_alone()
    {
        FaultTimeline timeline = Play("at 5s loss 50% for 10s");
        Link link = new(LinkOptions.Perfect, seed: 1);
        List<int> lost = [];
        for (int i = 0; i < 20_000; i++)
        {
            TimeSpan now = TimeSpan.FromMilliseconds(i);
            timeline.Advance(now);
            link.Options = timeline.Now.Up.Link;
            if (link.Next(now, 100).IsDropped)
            {
                lost.Add(i);
            }
        }

        Assert.InRange(lost.Count, 4800, 5200);
        Assert.InRange(lost[0], 5000, 5100);
        Assert.InRange(lost[^1], 14_900, 14_999);
    }

    [Fact]
    public void A_share_of_the_connections_is_as_large_as_it_says_and_grows_by_others_alone()
    {
        const int Connections = 10_000;
        int[] Hit(double share, long seed) => [.. Enumerable.Range(0, Connections).Where(number => LinkChance.Of(seed, number) < share)];
        Assert.InRange(Hit(0.3, 1).Length, 2800, 3200);
        Assert.Subset(Hit(0.5, 1).ToHashSet(), Hit(0.3, 1).ToHashSet());
        Assert.Equal(Hit(0.3, 1), Hit(0.3, 1));
        Assert.InRange(Hit(0.3, 1).Intersect(Hit(0.3, 2)).Count(), 700, 1100);
        Assert.InRange(Hit(0.3, 1).Intersect(Hit(0.3, 2).Select(static number => number + 1)).Count(), 700, 1100);
        Assert.Equal(0.1739, LinkChance.Of(1, 0), 4);
    }

    [Theory]
    [InlineData("at 5s loss 20%\nloss 20%", "file:2: a line begins with at and a time")]
    [InlineData("\n# a remark\nat 5 loss", "file:3: \"loss\" stands alone")]
    [InlineData("at soon loss 1%", "file:1: at takes a time of at most 7 days, as in at 5s, not \"soon\"")]
    [InlineData("at", "file:1: at takes a time of at most 7 days, as in at 5s")]
    [InlineData("at 5s", "file:1: nothing is set")]
    [InlineData("at 5s for 5s", "file:1: nothing is set")]
    [InlineData("at 5s loss 20% for", "file:1: for takes a time of at most 7 days")]
    [InlineData("at 5s loss 20% for 5s delay 1ms", "file:1: \"delay\" stands behind the end of the line")]
    [InlineData("at 5s clear for 5s", "file:1: clear ends all faults and has no for")]
    [InlineData("at 5s loss 120%", "file:1: loss takes a percentage")]
    [InlineData("at 5s stall 0", "file:1: stall is for streams")]
    [InlineData("at 5s \u001b[2J 1", "file:1: \"\\x1b[2J\" is no setting")]
    public void An_error_names_the_line(string text, string says)
    {
        ArgumentException wrong = Assert.Throws<ArgumentException>(() => Scenario.Parse(text, "file", _words));
        Assert.StartsWith(says, wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void It_has_a_thousand_lines_at_most()
    {
        string most = string.Concat(Enumerable.Repeat("at 5s loss 1% # said\r\n\n", Scenario.MaxSteps));
        IReadOnlyList<ScenarioStep> steps = Scenario.Parse(most, "file", _words);
        Assert.Equal(Scenario.MaxSteps, steps.Count);
        Assert.Throws<ArgumentException>(() => Scenario.Parse(most + "at 5s loss 1%", "file", _words));
        FaultTimeline timeline = new(_words, BothFaults.None);
        Assert.All(steps, step => timeline.Add(step, TimeSpan.Zero));
        Assert.Throws<ArgumentException>(() => timeline.Add(steps[0], TimeSpan.Zero));
    }

    private static FaultTimeline Play(params string[] lines)
    {
        FaultTimeline timeline = new(_words, BothFaults.None);
        Assert.All(Scenario.Parse(string.Join('\n', lines), "file", _words), step => timeline.Add(step, TimeSpan.Zero));
        return timeline;
    }

    private static BothFaults Model(ScenarioStep[] steps, TimeSpan now)
    {
        ScenarioStep[] begun = [.. steps.Where(step => step.At <= now).OrderBy(static step => step.At)];
        begun = begun[(Array.FindLastIndex(begun, static step => step.IsClear) + 1)..];
        IEnumerable<ScenarioStep> lasting = begun.Where(static step => step.For is null);
        IEnumerable<ScenarioStep> passing = begun.Where(step => step.At + step.For > now);
        return lasting.Concat(passing).Aggregate(BothFaults.None, static (faults, step) => _words.Apply(faults, step.Words));
    }
}
