using CsCheck;
using Doorbell.Lanes;

namespace Doorbell.Tests;

/// <summary>A lane's timers come out in time, none early, none lost.</summary>
public sealed class TimerWheelTests
{
    [Fact]
    public void Whatever_is_put_in_comes_out_at_its_millisecond_in_whatever_steps_time_goes() =>
        Gen.Select(Gen.Long[0, 400_000].Array[1, 60], Gen.Long[1, 50_000].Array[1, 60], Gen.Int[0, 59].Array[0, 20]).Sample(
            static (dues, steps, removed) => Check(dues, steps, removed));

    [Fact]
    public void What_is_due_in_a_thousand_years_is_held_and_what_is_never_due_is_not()
    {
        TimerWheel wheel = new(TimeSpan.Zero);
        Entry far = new();
        Entry never = new();
        wheel.Ensure(far, TimeSpan.FromDays(365_000));
        wheel.Ensure(never, TimeSpan.MaxValue);
        Assert.Null(wheel.TakeDue(TimeSpan.FromDays(364_999)));
        Assert.Same(far, wheel.TakeDue(TimeSpan.FromDays(365_000)));
        Assert.Equal(-1, wheel.MillisecondsToNext(TimeSpan.FromDays(365_001)));
    }

    [Fact]
    public void An_entry_moves_to_an_earlier_time_and_never_to_a_later()
    {
        TimerWheel wheel = new(TimeSpan.Zero);
        Entry entry = new();
        wheel.Ensure(entry, TimeSpan.FromSeconds(100));
        wheel.Ensure(entry, TimeSpan.FromSeconds(10));
        wheel.Ensure(entry, TimeSpan.FromSeconds(50));
        Assert.Null(wheel.TakeDue(TimeSpan.FromSeconds(9.999)));
        Assert.Same(entry, wheel.TakeDue(TimeSpan.FromSeconds(10)));
        Assert.Null(wheel.TakeDue(TimeSpan.FromSeconds(200)));
    }

    [Fact]
    public void What_is_always_due_again_comes_out_once_a_tick()
    {
        TimerWheel wheel = new(TimeSpan.Zero);
        Entry entry = new();
        wheel.Ensure(entry, TimeSpan.Zero);
        int taken = 0;
        while (wheel.TakeDue(TimeSpan.FromMilliseconds(10)) is { } due)
        {
            wheel.Ensure(due, TimeSpan.Zero);
            taken++;
        }

        Assert.Equal(10, taken);
    }

    private static void Check(long[] dues, long[] steps, int[] removed)
    {
        TimerWheel wheel = new(TimeSpan.FromMilliseconds(77));
        Entry[] entries = [.. dues.Select(static _ => new Entry())];
        long now = 77;
        HashSet<int> inside = [];
        for (int i = 0; i < dues.Length; i++)
        {
            wheel.Ensure(entries[i], TimeSpan.FromMilliseconds(77 + dues[i]));
            inside.Add(i);
        }

        foreach (int i in removed.Where(i => i < entries.Length))
        {
            wheel.Remove(entries[i]);
            inside.Remove(i);
        }

        foreach (long step in steps)
        {
            int wait = wheel.MillisecondsToNext(TimeSpan.FromMilliseconds(now));
            long first = inside.Count == 0 ? long.MaxValue : inside.Min(i => 77 + dues[i]);
            Assert.True(inside.Count == 0 ? wait == -1 : now + wait <= Math.Max(first, now), "it would sleep past the next");
            now += step;
            while (wheel.TakeDue(TimeSpan.FromMilliseconds(now)) is { } due)
            {
                int i = Array.IndexOf(entries, due);
                Assert.True(77 + dues[i] <= now, "it came early");
                Assert.True(inside.Remove(i), "it came twice, or after it was removed");
            }

            Assert.DoesNotContain(inside, i => 77 + dues[i] <= now);
        }
    }

    private sealed class Entry : Timed
    {
        public override void OnTimer(TimeSpan now) => throw new InvalidOperationException("only an event loop calls it");
    }
}
