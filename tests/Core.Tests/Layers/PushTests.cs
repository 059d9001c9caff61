using System.Text;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>A layer that a handler pushes in mid-stream, as STARTTLS does.</summary>
public sealed class PushTests
{
    [Fact]
    public void What_was_written_before_is_sent_as_it_is_and_what_is_written_after_is_wrapped()
    {
        InMemoryConnection connection = Connection();
        connection.PeerSends("STARTTLS"u8);
        connection.Run();
        Assert.Equal("220 go", Encoding.UTF8.GetString(connection.PeerReceived));
        connection.PeerSends([.. RecordPeer.Handshake, .. RecordPeer.Record(RecordLayer.Data, "hello"u8), .. RecordPeer.End]);
        connection.PeerEnds();
        connection.Run();
        (byte[] plain, byte[] types) = RecordPeer.Unwrapped(connection.PeerReceived[6..]);
        Assert.Equal("after hello", Encoding.UTF8.GetString(plain));
        Assert.Equal([RecordLayer.Hello, RecordLayer.Data, RecordLayer.Close], types);
        Assert.Equal(CloseReason.Completed, connection.Ended);
        Assert.Equal(0, connection.RentedBytes);
    }

    [Fact]
    public void Bytes_behind_the_command_are_the_layers_however_they_are_cut()
    {
        byte[] all = [.. "STARTTLS"u8, .. RecordPeer.Handshake, .. RecordPeer.Record(RecordLayer.Data, "hello"u8), .. RecordPeer.End];
        for (int cut = 0; cut <= all.Length; cut++)
        {
            InMemoryConnection connection = Connection();
            connection.PeerSends(all.AsSpan(..cut));
            connection.Run();
            connection.PeerSends(all.AsSpan(cut..));
            connection.PeerEnds();
            connection.Run();
            Assert.Equal("after hello", Encoding.UTF8.GetString(RecordPeer.Unwrapped(connection.PeerReceived[6..]).Plain));
            Assert.Equal(CloseReason.Completed, connection.Ended);
        }
    }

    [Fact]
    public void A_command_that_was_smuggled_in_behind_it_in_the_clear_is_never_the_handlers()
    {
        List<string> seen = [];
        InMemoryConnection connection = Connection(seen);
        connection.PeerSends("STARTTLSDELETE ALL"u8);
        connection.Run();
        connection.PeerEnds();
        connection.Run();
        Assert.Equal(["STARTTLSDELETE ALL"], seen);
        Assert.Equal(CloseReason.LayerFailed, connection.Ended);
    }

    [Fact]
    public void OnOpen_is_not_called_again_and_the_end_without_the_layers_own_is_a_truncation()
    {
        ScriptedHandler handler = Handler([]);
        InMemoryConnection connection = new(handler, 1) { CutAtRandom = false };
        connection.PeerSends([.. "STARTTLS"u8, .. RecordPeer.Handshake]);
        connection.PeerEnds();
        connection.Run();
        Assert.Single(handler.Told, "open");
        Assert.DoesNotContain("end", handler.Told);
        Assert.Equal(CloseReason.Truncated, connection.Ended);
    }

    [Fact]
    public void Behind_the_peers_end_no_layer_can_be_pushed()
    {
        ScriptedHandler handler = new()
        {
            End = (_, turn) =>
            {
                turn.Push(new RecordLayer());
                return Next.Close;
            },
        };
        InMemoryConnection connection = new(handler, 1);
        connection.PeerEnds();
        connection.Run();
        Assert.Equal(CloseReason.HandlerFault, connection.Ended);
        Assert.IsType<InvalidOperationException>(connection.Fault);
    }

    private static InMemoryConnection Connection(List<string>? seen = null) => new(Handler(seen ?? []), 1) { CutAtRandom = false };

    private static ScriptedHandler Handler(List<string> seen)
    {
        bool isSecure = false;
        return new()
        {
            Bytes = (input, turn) =>
            {
                seen.Add(Encoding.UTF8.GetString(input));
                if (isSecure)
                {
                    turn.Output.Write(input);
                    return Step.More(input.Length);
                }

                if (!input.StartsWith("STARTTLS"u8))
                {
                    return Step.More(0);
                }

                isSecure = true;
                turn.Output.Write("220 go"u8);
                turn.Push(new RecordLayer());
                turn.Output.Write("after "u8);
                return Step.More(8);
            },
        };
    }
}
