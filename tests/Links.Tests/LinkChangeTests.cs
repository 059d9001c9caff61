using CsCheck;
using Doorbell.Links;

namespace Doorbell.Tests;

/// <summary>A link whose settings change while datagrams are on their way.</summary>
public sealed class LinkChangeTests
{
    private const int Length = 1000 - LinkOptions.HeaderBytes;

    [Fact]
    public void A_faster_link_has_room_again_for_those_that_come_next()
    {
        Link link = new(new LinkOptions { BitsPerSecond = 8_000, QueueBytes = 8_000 }, 1);
        LinkFate[] slow = [.. Enumerable.Range(0, 20).Select(_ => link.Next(TimeSpan.Zero, Length))];
        Assert.Equal(8, slow.Count(static fate => !fate.IsDropped));
        link.Options = link.Options with { BitsPerSecond = 10_000_000 };
        TimeSpan later = TimeSpan.FromSeconds(1);

        // A second has sent one of the eight: seven thousand bytes are left, which take 5.6 ms at the new rate.
        LinkFate[] fast = [.. Enumerable.Range(0, 30).Select(i => link.Next(later + TimeSpan.FromMilliseconds(i), Length))];
        Assert.DoesNotContain(fast, static fate => fate.IsDropped);
        Assert.Equal(later + TimeSpan.FromTicks(56_000 + 8_000), fast[0].ArrivesAt);
        Assert.Equal(later + TimeSpan.FromTicks(290_000 + 8_000), fast[29].ArrivesAt);
    }

    [Fact]
    public void After_a_long_delay_nothing_waits_that_has_none()
    {
        Link link = new(new LinkOptions { Delay = TimeSpan.FromSeconds(8) }, 1);
        Assert.Equal(TimeSpan.FromSeconds(8), link.Next(TimeSpan.Zero, Length).ArrivesAt);
        link.Options = LinkOptions.Perfect;
        Assert.Equal(TimeSpan.FromSeconds(1), link.Next(TimeSpan.FromSeconds(1), Length).ArrivesAt);
        link.Options = new LinkOptions { Delay = TimeSpan.FromSeconds(2) };
        Assert.Equal(TimeSpan.FromSeconds(4), link.Next(TimeSpan.FromSeconds(2), Length).ArrivesAt);
    }

    /// <summary>
    /// Any settings, any change of them, at any time: the model keeps the queue as bytes that a clock takes away, not as times, and so
    /// shares nothing with the link but what is asked of it.
    /// </summary>
    [Fact]
    public void Whatever_changes_the_link_does_as_a_queue_of_bytes_would() => Gen.Select(
        Gen.OneOfConst(0L, 8_000L, 64_000L, 1_000_000L, 10_000_000L),
        Gen.OneOfConst(0, 5, 50, 3_000),
        Gen.OneOfConst(1_000, 4_000, 65_536),
        Gen.Int[0, 400],
        Gen.Bool).List[1, 60].Sample(static steps =>
        {
            Link link = new(LinkOptions.Perfect, 7);
            ByteQueue model = new();
            TimeSpan now = TimeSpan.Zero;
            foreach ((long rate, int delay, int queue, int wait, bool changes) in steps)
            {
                now += TimeSpan.FromMilliseconds(wait);
                if (changes)
                {
                    link.Options = new LinkOptions { BitsPerSecond = rate, Delay = TimeSpan.FromMilliseconds(delay), QueueBytes = queue };
                    model.Pending = link.Options;
                }

                LinkFate fate = link.Next(now, Length);
                double? sent = model.Next(now.TotalSeconds);
                Assert.Equal(sent is null, fate.IsDropped);
                if (sent is { } at)
                {
                    Assert.Equal(at, fate.ArrivesAt.TotalSeconds, 1e-6);
                }
            }
        }, iter: 2000);

    /// <summary>What a queue in front of a wire does, in bytes and seconds.</summary>
    private sealed class ByteQueue
    {
        private LinkOptions _options = LinkOptions.Perfect;
        private double _waiting;
        private double _at;
        private double _lastArrival = double.MinValue;

        public LinkOptions? Pending { get; set; }

        /// <summary>When a packet of 1,000 bytes arrives; null if it finds no room.</summary>
        public double? Next(double now)
        {
            _waiting = _options.BitsPerSecond == 0 ? 0 : Math.Max(0, _waiting - ((now - _at) * _options.BitsPerSecond / 8));
            _at = now;
            if (Pending is { } changed)
            {
                _waiting = changed.BitsPerSecond == 0 ? 0 : _waiting;
                _options = changed;
                _lastArrival = double.MinValue;
                Pending = null;
            }

            // A thousandth of a byte is a tick that was rounded away.
            if (_options.BitsPerSecond > 0 && _waiting > 0.01 && Math.Floor(_waiting + 0.001) + 1000 > _options.QueueBytes)
            {
                return null;
            }

            double sent = now;
            if (_options.BitsPerSecond > 0)
            {
                _waiting += 1000;
                sent += _waiting * 8 / _options.BitsPerSecond;
            }

            _lastArrival = Math.Max(_lastArrival, sent + _options.Delay.TotalSeconds);
            return _lastArrival;
        }
    }
}
