using Doorbell.Sessions;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>Every bound of a connection: back-pressure, message size, pending output, idleness, drain.</summary>
public sealed class LimitTests
{
    private static readonly byte[] _kilobyte = new byte[1024];

    [Fact]
    public void Output_at_its_high_mark_stops_the_receiving_and_memory_stays_bounded()
    {
        InMemoryConnection connection = new(new ScriptedHandler(), seed: 1) { LargestSend = 0, LargestReceive = 4096 };
        for (int i = 0; i < 1024; i++)
        {
            connection.PeerSends(_kilobyte);
        }

        connection.Run();
        Assert.Equal(Want.Send, connection.Wants);
        Assert.InRange(connection.RentedBytes, 64 * 1024, 256 * 1024);
        connection.LargestSend = 64 * 1024;
        connection.Run();
        Assert.Equal(1024 * 1024, connection.PeerReceived.Length);
        Assert.Equal(0, connection.RentedBytes);
    }

    [Fact]
    public void Input_that_a_full_output_left_behind_is_served_when_there_is_room_again()
    {
        int steps = 0;
        InMemoryConnection connection = SessionTests.Connection(
            new ScriptedHandler
            {
                Bytes = (input, turn) =>
                {
                    steps++;
                    turn.Output.Write(_kilobyte);
                    return Step.More(1);
                },
            },
            StreamLimits.Default with { OutputHighMark = 1024 });
        connection.LargestSend = 0;
        connection.PeerSends("abc"u8);
        connection.Run();
        Assert.Equal(1, steps);
        connection.LargestSend = 1024;
        connection.Run();
        Assert.Equal(3, steps);
        Assert.Equal(3 * 1024, connection.PeerReceived.Length);
    }

    [Fact]
    public void A_message_larger_than_the_limit_ends_the_connection()
    {
        InMemoryConnection connection = SessionTests.Connection(
            new ScriptedHandler { Bytes = static (_, _) => Step.More(0) }, StreamLimits.Default with { MaxMessageBytes = 1000 });
        connection.PeerSends(_kilobyte.AsSpan(0, 1000));
        connection.Run();
        Assert.Null(connection.Ended);
        connection.PeerSends("x"u8);
        connection.Run();
        Assert.Equal(CloseReason.MessageTooLarge, connection.Ended);
        Assert.Equal(0, connection.RentedBytes);
    }

    [Fact]
    public void A_handler_that_writes_past_the_limit_is_ended()
    {
        InMemoryConnection connection = SessionTests.Connection(
            new ScriptedHandler
            {
                Open = static turn =>
                {
                    while (true)
                    {
                        turn.Output.Write(_kilobyte);
                    }
                },
            },
            StreamLimits.Default with { MaxPendingOutput = 100_000, OutputHighMark = 1000 });
        connection.Run();
        Assert.True(connection.WasReset);
        Assert.Equal(CloseReason.PendingOutputExceeded, connection.Ended);
        Assert.Equal(0, connection.RentedBytes);
    }

    [Fact]
    public void A_long_answer_is_written_piece_by_piece_as_the_output_is_flushed()
    {
        int left = 100;
        InMemoryConnection connection = SessionTests.Connection(new ScriptedHandler
        {
            Open = Piece,
            Flushed = Piece,
        });
        connection.Run();
        Assert.Equal(100 * 1024, connection.PeerReceived.Length);
        Assert.Equal(0, connection.RentedBytes);

        Next Piece(Turn turn)
        {
            if (left-- > 0)
            {
                turn.Output.Write(_kilobyte);
            }

            return Next.Stay;
        }
    }

    [Fact]
    public void An_idle_connection_is_closed_at_its_time_and_activity_moves_it()
    {
        InMemoryConnection connection = SessionTests.Connection(new ScriptedHandler(), Idle(10));
        connection.Advance(TimeSpan.FromSeconds(9));
        connection.PeerSends("a"u8);
        connection.Advance(TimeSpan.FromSeconds(9));
        Assert.Null(connection.Ended);
        connection.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(CloseReason.IdleTimeout, connection.Ended);
        Assert.False(connection.WasReset);
    }

    [Fact]
    public void A_peer_that_never_reads_is_reset_when_idle_and_the_loss_is_counted()
    {
        InMemoryConnection connection = SessionTests.Connection(new ScriptedHandler(), Idle(10));
        connection.LargestSend = 0;
        connection.PeerSends("abc"u8);
        connection.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(CloseReason.IdleTimeout, connection.Ended);
        Assert.True(connection.WasReset);
        Assert.Equal(3, connection.Ledger.Read().BytesUnsent);
    }

    [Fact]
    public void A_closing_connection_whose_peer_neither_reads_nor_stops_sending_ends_all_the_same()
    {
        InMemoryConnection connection = SessionTests.Connection(
            new ScriptedHandler { Open = static turn => SessionTests.Write(turn, "bye", Next.Close) }, Idle(10));
        connection.LargestSend = 0;
        for (int second = 0; second < 12; second++)
        {
            connection.PeerSends("more"u8);
            connection.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(CloseReason.IdleTimeout, connection.Ended);
    }

    [Fact]
    public void A_parked_session_does_not_idle_out_since_its_handler_works()
    {
        InMemoryConnection connection = SessionTests.Connection(new ScriptedHandler { Open = static _ => Next.Park }, Idle(10));
        connection.Advance(TimeSpan.FromHours(1));
        Assert.Null(connection.Ended);
    }

    [Fact]
    public void A_drain_closes_an_idle_connection_at_once()
    {
        ScriptedHandler handler = new();
        InMemoryConnection connection = SessionTests.Connection(handler);
        connection.Advance(TimeSpan.FromSeconds(1));
        connection.Drain();
        connection.Run();
        Assert.Equal(["open", "drain"], handler.Told);
        Assert.True(connection.ServerFinished);
    }

    [Fact]
    public void A_drain_waits_for_a_half_received_message_and_answers_it()
    {
        InMemoryConnection connection = SessionTests.Connection(ClassicServices.Capitalize.NewStreamHandler!(InMemoryConnection.Info));
        connection.PeerSends("half a li"u8);
        connection.Run();
        connection.Drain();
        connection.Run();
        Assert.False(connection.ServerFinished);
        connection.PeerSends("ne\n"u8);
        connection.Run();
        Assert.Equal("HALF A LINE\n", SessionTests.Received(connection));
        Assert.True(connection.ServerFinished);
    }

    [Fact]
    public void A_drain_waits_for_parked_work_and_for_a_handler_that_is_not_idle()
    {
        Bell? bell = null;
        InMemoryConnection connection = SessionTests.Connection(new ScriptedHandler
        {
            Bytes = (input, turn) =>
            {
                bell = turn.Bell;
                return Step.Park(input.Length);
            },
            Ring = static turn => SessionTests.Write(turn, "done", Next.More),
        });
        connection.PeerSends("a"u8);
        connection.Run();
        connection.Drain();
        connection.Run();
        Assert.False(connection.ServerFinished);
        bell!.Ring();
        connection.Run();
        Assert.Equal("done", SessionTests.Received(connection));
        Assert.True(connection.ServerFinished);
    }

    [Theory]
    [InlineData(0, 1, 1, 1)]
    [InlineData(1, 0, 1, 1)]
    [InlineData(1, 2, 1, 1)]
    [InlineData(1, 1, 1, 0)]
    public void Limits_that_make_no_sense_are_refused(int message, int highMark, int pending, int steps) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new StreamLimits
        {
            MaxMessageBytes = message,
            OutputHighMark = highMark,
            MaxPendingOutput = pending,
            MaxStepsPerRound = steps,
        }.Validate());

    private static StreamLimits Idle(double seconds) => StreamLimits.Default with { IdleTimeout = TimeSpan.FromSeconds(seconds) };
}
