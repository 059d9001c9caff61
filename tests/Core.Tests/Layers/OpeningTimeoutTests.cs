using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>Layers have a time in which to open: those of a door, and one that a handler pushes.</summary>
public sealed class OpeningTimeoutTests
{
    private static readonly StreamLimits _limits = StreamLimits.Default with
    {
        OpeningTimeout = TimeSpan.FromSeconds(30), FirstByteTimeout = Timeout.InfiniteTimeSpan,
    };
    private static readonly TimeSpan _justBefore = TimeSpan.FromSeconds(30) - TimeSpan.FromTicks(1);

    [Fact]
    public void A_door_s_layer_that_does_not_open_ends_the_connection_at_the_time_out_and_not_before()
    {
        ScriptedHandler handler = new();
        InMemoryConnection connection = new(handler, 1, _limits, layers: [static _ => new RecordLayer()]);
        connection.Advance(_justBefore);
        Assert.Null(connection.Ended);
        connection.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(CloseReason.OpeningTimeout, connection.Ended);
        Assert.DoesNotContain("open", handler.Told);
        Assert.Equal(0, connection.RentedBytes);
    }

    [Fact]
    public void Bytes_that_do_not_open_it_give_it_no_more_time()
    {
        InMemoryConnection connection = new(new ScriptedHandler(), 1, _limits, layers: [static _ => new RecordLayer()]);
        byte[] handshake = RecordPeer.Handshake;
        for (int i = 0; i < 29; i++)
        {
            connection.Advance(TimeSpan.FromSeconds(1));
            if (i == 0)
            {
                connection.PeerSends(handshake.AsSpan(..1));
            }
        }

        Assert.Null(connection.Ended);
        connection.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(CloseReason.OpeningTimeout, connection.Ended);
    }

    [Fact]
    public void A_layer_that_is_open_has_no_time_out_any_more()
    {
        InMemoryConnection connection = new(new ScriptedHandler(), 1, _limits, layers: [static _ => new RecordLayer()]);
        connection.PeerSends(RecordPeer.Handshake);
        connection.Run();
        connection.Advance(TimeSpan.FromSeconds(60));
        Assert.Null(connection.Ended);
    }

    [Fact]
    public void The_time_of_a_layer_that_is_pushed_begins_when_it_is_pushed()
    {
        ScriptedHandler handler = new()
        {
            Bytes = static (input, turn) =>
            {
                turn.Push(new RecordLayer());
                return Step.More(input.Length);
            },
        };
        InMemoryConnection connection = new(handler, 1, _limits) { CutAtRandom = false };
        connection.Advance(TimeSpan.FromSeconds(100));
        connection.PeerSends("STARTTLS"u8);
        connection.Run();
        connection.Advance(_justBefore);
        Assert.Null(connection.Ended);
        connection.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(CloseReason.OpeningTimeout, connection.Ended);
    }

    [Fact]
    public void Without_layers_nothing_has_to_open()
    {
        InMemoryConnection connection = new(new ScriptedHandler(), 1, _limits);
        connection.Advance(TimeSpan.FromSeconds(60));
        Assert.Null(connection.Ended);
    }
}
