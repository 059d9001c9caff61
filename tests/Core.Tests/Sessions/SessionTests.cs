using System.Text;
using Doorbell.Sessions;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>Every want and every step, on an in-memory lane that cuts nothing, so that each test sees one thing.</summary>
public sealed class SessionTests
{
    [Fact]
    public void What_a_handler_writes_in_one_turn_leaves_in_one_send()
    {
        InMemoryConnection connection = Connection(new ScriptedHandler());
        connection.PeerSends("a"u8);
        Assert.True(connection.Step());
        Assert.Equal(Want.Send | Want.Receive, connection.Wants);
        connection.PeerSends("bc"u8);
        connection.Run();
        Assert.Equal("abc", Received(connection));
        Assert.Equal(Want.Receive, connection.Wants);
    }

    [Fact]
    public void A_server_that_speaks_first_greets_before_any_byte_comes()
    {
        InMemoryConnection connection = Connection(new ScriptedHandler { Open = static turn => Write(turn, "hello") });
        Assert.Equal(Want.Send | Want.Receive, connection.Wants);
        connection.Run();
        Assert.Equal("hello", Received(connection));
    }

    [Fact]
    public void Unconsumed_input_is_offered_again_together_with_what_follows()
    {
        List<int> offered = [];
        InMemoryConnection connection = Connection(new ScriptedHandler
        {
            Bytes = (input, _) =>
            {
                offered.Add(input.Length);
                return Step.More(input.Length >= 5 ? 5 : 0);
            },
        });
        connection.PeerSends("abc"u8);
        connection.Run();
        connection.PeerSends("defgh"u8);
        connection.Run();
        Assert.Equal([3, 8, 3], offered);
    }

    [Fact]
    public void The_end_is_told_once_with_what_was_left_and_then_the_connection_closes_in_order()
    {
        string? rest = null;
        ScriptedHandler handler = new()
        {
            Bytes = static (_, _) => Step.More(0),
            End = (left, turn) =>
            {
                rest = Encoding.UTF8.GetString(left);
                turn.Output.Write("bye"u8);
                return Next.Close;
            },
        };
        InMemoryConnection connection = Connection(handler);
        connection.PeerSends("left"u8);
        connection.PeerEnds();
        connection.Run();
        Assert.Equal("left", rest);
        Assert.Equal("bye", Received(connection));
        Assert.True(connection.ServerFinished);
        Assert.Equal(CloseReason.Completed, connection.Ended);
        Assert.Single(handler.Told, "end");
    }

    [Fact]
    public void Finish_half_closes_and_goes_on_reading()
    {
        int read = 0;
        InMemoryConnection connection = Connection(new ScriptedHandler
        {
            Bytes = (input, turn) =>
            {
                if ((read += input.Length) == 1)
                {
                    turn.Output.Write("only"u8);
                    return Step.Finish(1);
                }

                return Step.More(input.Length);
            },
        });
        connection.PeerSends("a"u8);
        connection.Run();
        Assert.True(connection.ServerFinished);
        Assert.Null(connection.Ended);
        connection.PeerSends("bcd"u8);
        connection.Run();
        Assert.Equal(4, read);
        connection.PeerEnds();
        connection.Run();
        Assert.Equal(CloseReason.Completed, connection.Ended);
        Assert.Equal("only", Received(connection));
    }

    [Fact]
    public void Writing_after_finish_is_the_handlers_fault()
    {
        InMemoryConnection connection = Connection(new ScriptedHandler
        {
            Open = static _ => Next.Finish,
            Bytes = static (input, turn) =>
            {
                turn.Output.Write(input);
                return Step.More(input.Length);
            },
        });
        connection.PeerSends("a"u8);
        connection.Run();
        Assert.Equal(CloseReason.HandlerFault, connection.Ended);
        Assert.IsType<InvalidOperationException>(connection.Fault);
    }

    [Fact]
    public void Close_answers_first_then_waits_a_bounded_time_for_the_peers_end_and_drops_what_it_still_sends()
    {
        InMemoryConnection connection = Connection(new ScriptedHandler { Open = static turn => Write(turn, "bye", Next.Close) });
        connection.PeerSends("unread"u8);
        connection.Run();
        Assert.Equal("bye", Received(connection));
        Assert.Null(connection.Ended);
        connection.Advance(StreamLimits.Default.CloseTimeout);
        Assert.Equal(CloseReason.Completed, connection.Ended);
        Assert.False(connection.WasReset);
        Assert.Equal(6, connection.Ledger.Read().BytesDiscarded);
    }

    [Fact]
    public void Abort_resets_and_counts_what_was_not_sent()
    {
        InMemoryConnection connection = Connection(new ScriptedHandler { Open = static turn => Write(turn, "lost", Next.Abort) });
        connection.PeerSends("x"u8);
        connection.Run();
        Assert.True(connection.WasReset);
        Assert.Equal(CloseReason.HandlerAborted, connection.Ended);
        Assert.Empty(connection.PeerReceived.ToArray());
        Assert.Equal(4, connection.Ledger.Read().BytesUnsent);
    }

    [Fact]
    public void A_handler_that_throws_ends_its_session_with_a_reset()
    {
        ScriptedHandler handler = new() { Bytes = static (_, _) => throw new FormatException("bad") };
        InMemoryConnection connection = Connection(handler);
        connection.PeerSends("a"u8);
        connection.Run();
        Assert.True(connection.WasReset);
        Assert.Equal(CloseReason.HandlerFault, handler.Closed);
        Assert.Equal("bad", connection.Fault?.Message);
        Assert.Equal(1, connection.Ledger.Read().Closed(CloseReason.HandlerFault));
    }

    [Fact]
    public void A_step_that_consumes_more_than_there_is_is_the_handlers_fault()
    {
        InMemoryConnection connection = Connection(new ScriptedHandler { Bytes = static (input, _) => Step.More(input.Length + 1) });
        connection.PeerSends("a"u8);
        connection.Run();
        Assert.Equal(CloseReason.HandlerFault, connection.Ended);
    }

    [Fact]
    public void A_reset_by_the_peer_ends_the_session_and_tells_the_handler()
    {
        ScriptedHandler handler = new();
        InMemoryConnection connection = Connection(handler);
        connection.PeerResets();
        connection.Run();
        Assert.Equal(CloseReason.PeerReset, handler.Closed);
    }

    [Fact]
    public void An_idle_or_ended_session_holds_no_memory()
    {
        InMemoryConnection connection = Connection(new ScriptedHandler { Bytes = static (input, turn) =>
        {
            turn.Output.Write(input);
            return Step.More(input.Length - (input.Length % 2));
        } });
        connection.PeerSends("abc"u8);
        connection.Run();
        Assert.NotEqual(0, connection.RentedBytes);
        connection.PeerSends("d"u8);
        connection.Run();
        Assert.Equal(0, connection.RentedBytes);
        connection.PeerSends("e"u8);
        connection.PeerEnds();
        connection.Run();
        Assert.NotNull(connection.Ended);
        Assert.Equal(0, connection.RentedBytes);
    }

    [Fact]
    public void The_wall_clock_is_the_opening_plus_the_time_since()
    {
        DateTimeOffset? seen = null;
        InMemoryConnection connection = Connection(new ScriptedHandler
        {
            Bytes = (input, turn) =>
            {
                seen = turn.UtcNow;
                return Step.More(input.Length);
            },
        });
        connection.Advance(TimeSpan.FromSeconds(50));
        connection.PeerSends("a"u8);
        connection.Run();
        Assert.Equal(DateTimeOffset.UnixEpoch.AddSeconds(50), seen);
    }

    internal static Next Write(Turn turn, string text, Next next = Next.Stay)
    {
        turn.Output.Write(Encoding.UTF8.GetBytes(text));
        return next;
    }

    internal static string Received(InMemoryConnection connection) => Encoding.UTF8.GetString(connection.PeerReceived);

    internal static InMemoryConnection Connection(StreamHandler handler, StreamLimits? limits = null) =>
        new(handler, seed: 1, limits) { CutAtRandom = false };
}
