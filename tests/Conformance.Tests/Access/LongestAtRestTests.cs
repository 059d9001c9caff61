using Doorbell.Serving;

namespace Doorbell.Tests;

/// <summary>As many connections make room as newcomers wait for it, however late their lanes are.</summary>
public sealed class LongestAtRestTests : IDisposable
{
    private static readonly TimeSpan _now = TimeSpan.FromSeconds(100);

    private readonly OpenConnections _connections = new();
    private readonly LongestAtRest _atRest;
    private readonly SemaphoreSlim _places = new(0);
    private readonly object _lane = new();
    private readonly Resting[] _all;

    public LongestAtRestTests()
    {
        _atRest = new LongestAtRest(_connections);
        _all = [.. Enumerable.Range(0, 10).Select(static number => new Resting(TimeSpan.FromSeconds(50 - number)))];
        Array.ForEach(_all, _connections.Add);
    }

    private int Asked => _all.Count(static connection => connection.RoomOrder is not null);

    public void Dispose() => _places.Dispose();

    [Fact]
    public void As_many_go_as_wait_at_all_lanes()
    {
        _atRest.Ask(_lane, null, _places, wanted: 2, _now);
        _atRest.Ask(new object(), null, _places, wanted: 1, _now);
        Assert.Equal(3, Asked);
        Assert.All(_all[..3], static longest => Assert.NotNull(longest.RoomOrder));
    }

    [Fact]
    public void Who_asks_again_has_no_second_one_go()
    {
        _atRest.Ask(_lane, null, _places, wanted: 1, _now);
        _atRest.Ask(_lane, null, _places, wanted: 1, _now + LongestAtRest.LookAgain);
        _atRest.Ask(_lane, Resting.Door, _places, wanted: 1, _now + LongestAtRest.LookAgain);
        Assert.Equal(1, Asked);
    }

    [Fact]
    public void A_place_that_has_become_free_meanwhile_costs_nobody_his()
    {
        // The lane has found no place; it asks a moment later.
        _places.Release();
        _atRest.Ask(_lane, null, _places, wanted: 1, _now);
        Assert.Equal(0, Asked);
    }

    [Fact]
    public void One_that_leaves_by_itself_makes_room_for_one_and_answers_for_nobody_else()
    {
        _atRest.Ask(_lane, null, _places, wanted: 2, _now);
        _connections.Remove(_all[9]);
        _places.Release();
        _atRest.WaitsNoMore(_lane);
        Assert.True(_places.Wait(0));
        _atRest.Ask(_lane, null, _places, wanted: 1, _now);
        Assert.Equal(2, Asked);
    }

    [Fact]
    public void A_lane_that_takes_places_for_its_newcomers_leaves_none_to_be_asked_for()
    {
        object other = new();
        _atRest.Ask(_lane, null, _places, wanted: 1, _now);
        _atRest.WaitsNoMore(_lane);
        _atRest.Answered(_all[0].RoomOrder!);
        _connections.Remove(_all[0]);
        _atRest.Ask(other, null, _places, wanted: 1, _now);
        Assert.Equal(2, Asked);
    }

    [Fact]
    public void An_order_is_taken_or_withdrawn_and_a_second_one_goes_only_if_it_is_withdrawn()
    {
        _atRest.Ask(_lane, null, _places, wanted: 2, _now);
        RoomOrder taken = _all[0].RoomOrder!;
        RoomOrder late = _all[1].RoomOrder!;
        Assert.True(taken.TryTake());
        _atRest.Ask(_lane, null, _places, wanted: 2, _now + TimeSpan.FromSeconds(2));
        Assert.False(late.TryTake());
        Assert.Equal(3, Asked);

        // The lane that is stuck is not asked again: it would be the longest at rest each time.
        Assert.Same(late, _all[1].RoomOrder);
        _atRest.Ask(_lane, null, _places, wanted: 2, _now + TimeSpan.FromSeconds(2) + LongestAtRest.LookAgain);
        Assert.Equal(3, Asked);
    }

    [Fact]
    public void One_that_stays_is_followed_by_another_and_may_be_asked_later()
    {
        _atRest.Ask(_lane, null, _places, wanted: 1, _now);
        _atRest.Answered(_all[0].Answer());
        _all[0].Rest = TimeSpan.Zero;
        _atRest.Ask(_lane, null, _places, wanted: 1, _now);
        Assert.NotNull(_all[1].RoomOrder);
        _all[0].Rest = TimeSpan.FromMinutes(2);
        _atRest.Ask(_lane, null, _places, wanted: 2, _now + LongestAtRest.LookAgain);
        Assert.NotNull(_all[0].RoomOrder);
    }
}
