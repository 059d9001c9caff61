using Doorbell.Sessions;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>How long a connection may take: to its first byte, in all, and for a message.</summary>
public sealed class TimeLimitTests
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);

    [Fact]
    public void A_connection_that_says_nothing_is_closed_at_its_time_and_one_that_spoke_is_not()
    {
        StreamLimits limits = StreamLimits.Default with { FirstByteTimeout = 3 * _second };
        InMemoryConnection silent = Capitaliser(limits);
        InMemoryConnection speaking = Capitaliser(limits);
        speaking.PeerSends("a"u8);
        foreach (InMemoryConnection connection in new[] { silent, speaking })
        {
            connection.Advance(2.9 * _second);
            Assert.False(connection.ServerFinished);
            connection.Advance(_second);
        }

        Assert.Equal(CloseReason.FirstByteTimeout, silent.Ended);
        Assert.Null(speaking.Ended);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Idle_time_begins_when_parked_work_is_done_not_when_it_began(bool byAlarm)
    {
        Bell? bell = null;
        TimeSpan fourSeconds = 4 * _second;
        ScriptedHandler slow = new()
        {
            Bytes = (input, turn) =>
            {
                bell = turn.Bell;
                turn.Alarm = byAlarm ? turn.Now + fourSeconds : null;
                return Step.Park(input.Length);
            },
            Alarm = static _ => Next.More,
        };
        InMemoryConnection connection = new(slow, 1, StreamLimits.Default with { IdleTimeout = 3 * _second }) { CutAtRandom = false };
        connection.PeerSends("question"u8);
        connection.Advance(fourSeconds);
        if (!byAlarm)
        {
            bell!.Ring();
        }

        connection.Advance(2.9 * _second);
        Assert.False(connection.ServerFinished);
        connection.Advance(_second);
        Assert.Equal(CloseReason.IdleTimeout, connection.Ended);
    }

    [Fact]
    public void A_rate_is_measured_however_many_bytes_have_moved()
    {
        DataRate rate = default;
        rate.Watch(onItsWay: true, moved: 0, _second);
        for (int i = 0; i < 500; i++)
        {
            rate.Move(int.MaxValue);
        }

        Assert.Equal(TimeSpan.MaxValue, rate.Due(StreamLimits.Default with { MinDataRate = 1 }));
    }

    [Fact]
    public void A_connection_is_closed_at_the_end_of_its_life_however_busy_it_is()
    {
        InMemoryConnection connection = Capitaliser(StreamLimits.Default with { MaxLifetime = 10 * _second });
        for (int second = 1; second < 10; second++)
        {
            connection.PeerSends("busy\n"u8);
            connection.Advance(_second);
            Assert.False(connection.ServerFinished);
        }

        connection.Advance(4 * _second);
        Assert.Equal(CloseReason.LifetimeExceeded, connection.Ended);
        Assert.False(connection.WasReset);
        Assert.Equal(9 * 5, connection.PeerReceived.Length);
    }

    [Fact]
    public void A_message_that_trickles_in_is_reset_though_the_connection_is_never_idle()
    {
        InMemoryConnection connection = Capitaliser(Rate(10));
        for (int second = 1; second <= 4; second++)
        {
            connection.PeerSends("x"u8);
            connection.Advance(_second);
            Assert.Null(connection.Ended);
        }

        connection.PeerSends("x"u8);
        connection.Advance(2 * _second);
        Assert.Equal(CloseReason.TooSlow, connection.Ended);
        Assert.True(connection.WasReset);
    }

    /// <summary>In which pieces the kernel hands it over is not the peer's doing.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100)]
    public void What_a_message_begins_with_counts_for_its_rate_in_whatever_pieces_it_comes(int piece)
    {
        InMemoryConnection connection = Capitaliser(Rate(10));
        connection.CutAtRandom = false;
        for (int sent = 0; sent < 100; sent += piece)
        {
            connection.PeerSends(new byte[Math.Min(piece, 100 - sent)].Select(static _ => (byte)'x').ToArray());
            connection.Run();
        }

        connection.Advance(14.9 * _second);
        Assert.Null(connection.Ended);
        connection.Advance(0.2 * _second);
        Assert.Equal(CloseReason.TooSlow, connection.Ended);
    }

    [Fact]
    public void A_long_message_at_the_least_rate_arrives_and_between_messages_time_is_free()
    {
        InMemoryConnection connection = Capitaliser(Rate(10));
        for (int message = 0; message < 3; message++)
        {
            for (int second = 0; second < 30; second++)
            {
                connection.PeerSends("0123456789a"u8);
                connection.Advance(_second);
            }

            connection.PeerSends("\n"u8);
            connection.Advance(60 * _second);
        }

        Assert.Null(connection.Ended);
        Assert.Equal(3 * 331, connection.PeerReceived.Length);
    }

    [Fact]
    public void A_peer_that_takes_its_answer_by_the_byte_is_reset()
    {
        InMemoryConnection connection = Capitaliser(Rate(10));
        connection.LargestSend = 0;
        connection.PeerSends("an answer that nobody takes\n"u8);
        connection.Advance(4 * _second);
        Assert.Null(connection.Ended);
        connection.Advance(2 * _second);
        Assert.Equal(CloseReason.TooSlow, connection.Ended);
        Assert.Equal(0, connection.RentedBytes);
    }

    [Fact]
    public void At_a_drain_a_new_connections_first_request_is_waited_for_and_answered()
    {
        InMemoryConnection connection = Capitaliser(StreamLimits.Default);
        connection.Advance(0.5 * _second);
        connection.Drain();
        connection.Run();
        Assert.False(connection.ServerFinished);
        connection.PeerSends("on its way\n"u8);
        connection.Run();
        Assert.True(connection.ServerFinished);
        Assert.Equal("ON ITS WAY\n", SessionTests.Received(connection));
    }

    [Fact]
    public void At_a_drain_a_new_connection_that_stays_silent_is_closed_a_second_after_it_opened()
    {
        InMemoryConnection connection = Capitaliser(StreamLimits.Default);
        connection.Advance(0.5 * _second);
        connection.Drain();
        connection.Advance(0.4 * _second);
        Assert.False(connection.ServerFinished);
        connection.Advance(0.2 * _second);
        Assert.True(connection.ServerFinished);
    }

    private static InMemoryConnection Capitaliser(StreamLimits limits) =>
        SessionTests.Connection(ClassicServices.Capitalize.NewStreamHandler!(InMemoryConnection.Info), limits);

    private static StreamLimits Rate(int bytesASecond) => StreamLimits.Default with { MinDataRate = bytesASecond };
}
