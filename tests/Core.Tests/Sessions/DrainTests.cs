using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>What a drain promises: what had arrived before it is answered, and every handler hears of it at once.</summary>
public sealed class DrainTests
{
    [Fact]
    public void What_the_transport_holds_is_answered_though_the_peer_was_behind_with_reading()
    {
        string sent = new('x', 10 * new StreamLimits().OutputHighMark);
        InMemoryConnection connection = SessionTests.Connection(ClassicServices.Echo.NewStreamHandler!(InMemoryConnection.Info));
        connection.LargestSend = 0;
        connection.PeerSends(System.Text.Encoding.ASCII.GetBytes(sent));
        connection.Run();
        connection.Drain();
        connection.Run();
        Assert.False(connection.ServerFinished);
        connection.LargestSend = 1000;
        connection.Run();
        Assert.Equal(sent, SessionTests.Received(connection));
        Assert.True(connection.ServerFinished);
    }

    [Fact]
    public void A_parked_handler_hears_of_it_at_once_and_what_the_transport_holds_is_answered_after_it()
    {
        Bell? bell = null;
        ScriptedHandler handler = new()
        {
            Bytes = (input, turn) =>
            {
                bell = turn.Bell;
                SessionTests.Write(turn, System.Text.Encoding.ASCII.GetString(input), Next.More);
                return Step.Park(input.Length);
            },
            Ring = static _ => Next.More,
        };
        InMemoryConnection connection = SessionTests.Connection(handler);
        connection.PeerSends("a"u8);
        connection.Run();
        connection.PeerSends("b"u8);
        connection.Drain();
        connection.Run();
        Assert.Equal("drain", handler.Told[^1]);
        bell!.Ring();
        connection.Run();
        Assert.False(connection.ServerFinished);
        bell.Ring();
        connection.Run();
        Assert.Equal("ab", SessionTests.Received(connection));
        Assert.True(connection.ServerFinished);
    }
}
