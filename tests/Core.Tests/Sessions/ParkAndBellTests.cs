using System.Text;
using Doorbell.Sessions;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>Parking, the bell, the alarm and the budget of steps.</summary>
public sealed class ParkAndBellTests
{
    [Fact]
    public void A_parked_session_receives_nothing_until_it_is_rung()
    {
        Bell? bell = null;
        int offered = 0;
        InMemoryConnection connection = SessionTests.Connection(new ScriptedHandler
        {
            Bytes = (input, turn) =>
            {
                bell = turn.Bell;
                return ++offered == 1 ? Step.Park(1) : Step.More(input.Length);
            },
        });
        connection.PeerSends("abc"u8);
        connection.Run();
        Assert.Equal(1, offered);
        Assert.Equal(Want.None, connection.Wants);
        bell!.Ring();
        connection.Run();
        Assert.Equal(2, offered);
        Assert.Equal(Want.Receive, connection.Wants);
    }

    [Fact]
    public void A_ring_is_a_hint_that_a_handler_may_answer_by_staying_parked()
    {
        Bell? bell = null;
        bool ready = false;
        ScriptedHandler handler = new()
        {
            Open = turn =>
            {
                bell = turn.Bell;
                return Next.Park;
            },
            Ring = _ => ready ? Next.More : Next.Stay,
        };
        InMemoryConnection connection = SessionTests.Connection(handler);
        connection.PeerSends("a"u8);
        bell!.Ring();
        bell.Ring();
        connection.Run();
        Assert.Equal(["open", "ring"], handler.Told);
        ready = true;
        bell.Ring();
        connection.Run();
        Assert.Equal("a", SessionTests.Received(connection));
    }

    [Fact]
    public void A_ring_during_the_turn_that_parks_is_not_lost()
    {
        InMemoryConnection connection = SessionTests.Connection(new ScriptedHandler
        {
            Bytes = static (input, turn) =>
            {
                turn.Bell.Ring();
                return Step.Park(input.Length);
            },
        });
        connection.PeerSends("a"u8);
        connection.Run();
        Assert.Equal(Want.Receive, connection.Wants);
    }

    [Fact]
    public void A_ring_can_push_output_without_any_input()
    {
        Bell? bell = null;
        InMemoryConnection connection = SessionTests.Connection(new ScriptedHandler
        {
            Open = turn =>
            {
                bell = turn.Bell;
                return Next.Stay;
            },
            Ring = static turn => SessionTests.Write(turn, "news"),
        });
        connection.Run();
        bell!.Ring();
        connection.Run();
        Assert.Equal("news", SessionTests.Received(connection));
    }

    [Fact]
    public void An_end_that_comes_while_parked_is_told_after_the_parking()
    {
        Bell? bell = null;
        ScriptedHandler handler = new()
        {
            Bytes = (input, turn) =>
            {
                bell = turn.Bell;
                return Step.Park(input.Length);
            },
            Ring = static turn => SessionTests.Write(turn, "done", Next.More),
        };
        InMemoryConnection connection = SessionTests.Connection(handler);
        connection.PeerSends("a"u8);
        connection.PeerEnds();
        connection.Run();
        Assert.DoesNotContain("end", handler.Told);
        bell!.Ring();
        connection.Run();
        Assert.Equal("done", SessionTests.Received(connection));
        Assert.Equal(CloseReason.Completed, connection.Ended);
    }

    [Fact]
    public void An_alarm_is_told_at_its_time_once()
    {
        ScriptedHandler handler = new()
        {
            Open = static turn =>
            {
                turn.Alarm = turn.Now + TimeSpan.FromSeconds(3);
                return Next.Park;
            },
            Alarm = static turn => SessionTests.Write(turn, $"{turn.Now.TotalSeconds}"),
        };
        InMemoryConnection connection = SessionTests.Connection(handler);
        connection.Advance(TimeSpan.FromSeconds(2.9));
        Assert.Equal("", SessionTests.Received(connection));
        connection.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal("3", SessionTests.Received(connection));
        Assert.Single(handler.Told, "alarm");
    }

    [Fact]
    public void A_budget_of_steps_lets_others_come_first_and_strands_no_input()
    {
        StringBuilder taken = new();
        InMemoryConnection connection = new(
            new ScriptedHandler
            {
                Bytes = (input, _) =>
                {
                    taken.Append((char)input[0]);
                    return Step.More(1);
                },
            },
            seed: 1,
            StreamLimits.Default with { MaxStepsPerRound = 3 }) { CutAtRandom = false };
        connection.PeerSends("abcdefgh"u8);
        Assert.True(connection.Step());
        Assert.Equal("abc", taken.ToString());
        Assert.Equal(Want.Yield, connection.Wants);
        connection.Run();
        Assert.Equal("abcdefgh", taken.ToString());
        Assert.Equal(Want.Receive, connection.Wants);
    }
}
