using CsCheck;
using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>When a question is sent again.</summary>
public sealed class RetryScheduleTests
{
    [Fact]
    public void Intervals_grow_and_are_jittered_and_all_tries_fit_into_five_seconds() => Gen.Int.Sample(static seed =>
    {
        Random random = new(seed);
        TimeSpan[] intervals = [.. Enumerable.Range(1, 3).Select(tried => RetrySchedule.Default.IntervalAfter(tried, random))];
        Assert.True(intervals[0] < intervals[1] && intervals[1] < intervals[2]);
        Assert.InRange(intervals[0].TotalSeconds, 0.9, 1.0);
        Assert.True(intervals.Sum(static interval => interval.TotalSeconds) < 5);
        Assert.Equal(TimeSpan.MaxValue, RetrySchedule.Default.IntervalAfter(4, random));
    });

    [Fact]
    public void Different_clients_do_not_fall_into_step() => Assert.NotEqual(
        RetrySchedule.Default.IntervalAfter(1, new Random(1)), RetrySchedule.Default.IntervalAfter(1, new Random(2)));

    [Fact]
    public void Schedules_that_make_no_sense_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(static () => new RetrySchedule { Tries = 0 }.Validate());
        Assert.Throws<ArgumentOutOfRangeException>(static () => new RetrySchedule { Growth = 0.5 }.Validate());
        Assert.Throws<ArgumentOutOfRangeException>(static () => new RetrySchedule { Jitter = 2 }.Validate());
    }
}
