using Doorbell.Lab.Models;

namespace Doorbell.Tests;

/// <summary>How <c>bench models</c> shares out its time when the machine is busy.</summary>
public sealed class ScheduleTests
{
    [Theory]
    [InlineData(1, 0)]
    [InlineData(1, 4)]
    [InlineData(2, 4)]
    [InlineData(3, 10)]
    public void The_load_ends_about_when_it_was_planned_to_however_slow_the_machine_is(double slowness, double startSeconds)
    {
        Schedule schedule = new(40, 7);
        TimeSpan elapsed = TimeSpan.FromSeconds(startSeconds);
        for (int left = Schedule.Rounds; left > 0; left--)
        {
            TimeSpan slice = schedule.SliceFrom(elapsed, left);
            Assert.InRange(slice, schedule.Slice / 8, schedule.Slice);
            elapsed += slice * slowness * schedule.Models * 2;
        }

        Assert.InRange(elapsed.TotalSeconds, 20, 34);
    }

    [Fact]
    public void A_slice_is_never_too_short_to_measure() =>
        Assert.Equal(new Schedule(40, 7).Slice / 8, new Schedule(40, 7).SliceFrom(TimeSpan.FromMinutes(5), 1));
}
