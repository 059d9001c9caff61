using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>For how long a peer has been at rest, by which a server at its limit chooses who makes room.</summary>
public sealed class RestTests
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);
    private static readonly StreamLimits _patient = StreamLimits.Default with { FirstByteTimeout = Timeout.InfiniteTimeSpan };

    [Fact]
    public void Empty_lines_and_half_lines_now_and_then_are_rest_and_requests_with_something_in_them_are_not()
    {
        InMemoryConnection silent = Capitaliser();
        InMemoryConnection empty = Capitaliser();
        InMemoryConnection half = Capitaliser();
        InMemoryConnection asking = Capitaliser();
        for (int i = 0; i < 20; i++)
        {
            foreach (InMemoryConnection connection in new[] { silent, empty, half, asking })
            {
                connection.Advance(3 * _second);
            }

            empty.PeerSends("\n"u8);
            half.PeerSends("x"u8);
            asking.PeerSends("a line that a person may have typed\n"u8);
        }

        Assert.Equal(60 * _second, silent.Rest);
        Assert.Equal(60 * _second, half.Rest);
        Assert.InRange(empty.Rest, 20 * _second, 60 * _second);
        Assert.InRange(asking.Rest, _second, 10 * _second);
    }

    [Fact]
    public void A_peer_that_is_served_all_the_time_is_never_at_rest()
    {
        InMemoryConnection busy = Capitaliser();
        busy.Advance(60 * _second);
        for (int i = 0; i < 100; i++)
        {
            busy.Advance(0.1 * _second);
            busy.PeerSends("a request of some length, and an answer of the same length\n"u8);
        }

        Assert.Equal(TimeSpan.Zero, busy.Rest);
        Assert.False(busy.TryMakeRoom());
        Assert.Null(busy.Ended);
    }

    [Fact]
    public void Who_makes_room_is_closed_in_order_and_a_handler_that_works_is_let_work()
    {
        InMemoryConnection idle = Capitaliser();
        idle.Advance(2 * _second);
        Assert.True(idle.TryMakeRoom());
        Assert.Equal(CloseReason.MadeRoom, idle.Ended);

        InMemoryConnection parked = new(new ScriptedHandler { Bytes = static (input, _) => Step.Park(input.Length) }, 1, _patient);
        parked.PeerSends("work"u8);
        parked.Advance(60 * _second);
        Assert.Equal(TimeSpan.Zero, parked.Rest);
        Assert.False(parked.TryMakeRoom());

        InMemoryConnection working = new(new Working(), 1, _patient);
        working.PeerSends("work"u8);
        working.Advance(60 * _second);
        Assert.False(working.TryMakeRoom(), "its handler says that it is not idle");
        Assert.Equal(TimeSpan.Zero, working.Rest);
        Assert.Null(working.Ended);
    }

    private static InMemoryConnection Capitaliser() =>
        SessionTests.Connection(ClassicServices.Capitalize.NewStreamHandler!(InMemoryConnection.Info), _patient);

    private sealed class Working : StreamHandler
    {
        public override bool IsIdle => false;

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => Step.More(input.Length);
    }
}
