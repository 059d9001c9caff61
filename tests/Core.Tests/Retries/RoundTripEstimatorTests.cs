using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>How long a client waits for its peer.</summary>
public sealed class RoundTripEstimatorTests
{
    private static readonly TimeSpan _firstContact = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _floor = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan _millisecond = TimeSpan.FromMilliseconds(1);

    [Fact]
    public void A_stranger_is_waited_for_as_at_first_contact() => Assert.Equal(_firstContact, NewEstimator().Timeout(default));

    [Fact]
    public void One_measured_round_trip_of_a_millisecond_brings_the_wait_to_the_floor()
    {
        RoundTripEstimator estimator = NewEstimator();
        estimator.Measured(_millisecond, 1, default);
        Assert.Equal(_floor, estimator.Timeout(default));
        Assert.Equal(_millisecond, estimator.RoundTrip);
    }

    [Fact]
    public void A_round_trip_of_nothing_is_a_round_trip()
    {
        RoundTripEstimator estimator = NewEstimator();
        estimator.Measured(TimeSpan.Zero, 1, default);
        Assert.Equal(_firstContact, estimator.Timeout(TimeSpan.FromHours(1)));
    }

    [Fact]
    public void It_waits_at_least_the_mean_and_four_deviations()
    {
        RoundTripEstimator estimator = NewEstimator();
        estimator.Measured(TimeSpan.FromMilliseconds(100), 1, default);
        Assert.Equal(TimeSpan.FromMilliseconds(300), estimator.Timeout(default));
    }

    [Fact]
    public void What_was_sent_twice_or_thrice_counts_a_quarter_and_more_often_not_at_all()
    {
        RoundTripEstimator estimator = NewEstimator();
        estimator.Measured(TimeSpan.FromMilliseconds(100), 1, default);
        estimator.Measured(TimeSpan.FromMilliseconds(400), 2, default);
        Assert.Equal(TimeSpan.FromMilliseconds((0.75 * 300) + (0.25 * 600)), estimator.Timeout(default));
        estimator.Measured(TimeSpan.FromSeconds(9), 4, default);
        Assert.Equal(TimeSpan.FromMilliseconds(375), estimator.Timeout(default));
    }

    [Fact]
    public void What_first_contact_cost_does_not_come_back_with_a_later_loss()
    {
        RoundTripEstimator estimator = NewEstimator();
        estimator.Measured(TimeSpan.FromSeconds(2.5), 2, default);
        Assert.Equal(TimeSpan.FromSeconds((0.75 * 2) + (0.25 * 3.75)), estimator.Timeout(default));
        estimator.Measured(_millisecond, 1, default);
        Assert.Equal(_floor, estimator.Timeout(default));
        estimator.Measured(TimeSpan.FromMilliseconds(20), 2, default);
        Assert.Equal(TimeSpan.FromMilliseconds((0.75 * 10) + (0.25 * 30)), estimator.Timeout(default));
    }

    [Fact]
    public void What_is_not_renewed_grows_back_to_first_contact()
    {
        RoundTripEstimator estimator = NewEstimator();
        estimator.Measured(TimeSpan.FromMilliseconds(50), 1, default);
        Assert.Equal(TimeSpan.FromMilliseconds(150), estimator.Timeout(TimeSpan.FromSeconds(2.3)));
        Assert.Equal(TimeSpan.FromMilliseconds(300), estimator.Timeout(TimeSpan.FromSeconds(2.4)));
        Assert.Equal(_firstContact, estimator.Timeout(TimeSpan.FromMinutes(5)));
        Assert.Equal(TimeSpan.Zero, estimator.RoundTrip);
    }

    /// <summary>A weak measurement is mostly of the waits before it, so without a bound each loss would lengthen the next wait.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void However_long_answers_take_the_wait_is_at_most_twice_that_of_first_contact(int sends)
    {
        RoundTripEstimator estimator = NewEstimator();
        for (int i = 0; i < 20; i++)
        {
            estimator.Measured(TimeSpan.FromSeconds(40), sends, default);
        }

        Assert.Equal(2 * _firstContact, estimator.Timeout(default));
    }

    [Fact]
    public void Who_is_forgotten_is_a_stranger()
    {
        RoundTripEstimator estimator = NewEstimator();
        estimator.Measured(_millisecond, 1, default);
        estimator.Forget();
        Assert.Equal(_firstContact, estimator.Timeout(default));
    }

    private static RoundTripEstimator NewEstimator() => new(_firstContact, _floor);
}
