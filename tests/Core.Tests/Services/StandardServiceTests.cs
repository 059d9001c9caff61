using System.Buffers.Binary;
using System.Text;
using Doorbell.Sessions;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>RFC 862, 863, 867 and 868.</summary>
public sealed class StandardServiceTests
{
    [Fact]
    public void Echo_sends_back_what_comes()
    {
        InMemoryConnection connection = SessionTests.Connection(ClassicServices.Echo.NewStreamHandler!(InMemoryConnection.Info));
        connection.PeerSends([0, 255, 10]);
        connection.PeerEnds();
        connection.Run();
        Assert.Equal([0, 255, 10], connection.PeerReceived.ToArray());
        Assert.Equal(CloseReason.Completed, connection.Ended);
    }

    [Fact]
    public void Discard_answers_nothing_and_ends_when_the_peer_does()
    {
        InMemoryConnection connection = SessionTests.Connection(ClassicServices.Discard.NewStreamHandler!(InMemoryConnection.Info));
        connection.PeerSends("nothing"u8);
        connection.PeerEnds();
        connection.Run();
        Assert.Equal(0, connection.PeerReceived.Length);
        Assert.Equal(CloseReason.Completed, connection.Ended);
        Assert.Equal(7, connection.Ledger.Read().BytesReceived);
    }

    [Fact]
    public void Daytime_tells_the_date_and_closes()
    {
        InMemoryConnection connection = SessionTests.Connection(ClassicServices.Daytime.NewStreamHandler!(InMemoryConnection.Info));
        connection.PeerEnds();
        connection.Run();
        Assert.Equal("Thursday, January 1, 1970 00:00:00-UTC\r\n", SessionTests.Received(connection));
        Assert.Equal(CloseReason.Completed, connection.Ended);
    }

    [Fact]
    public void Time_tells_the_seconds_since_1900_and_closes()
    {
        InMemoryConnection connection = SessionTests.Connection(ClassicServices.Time.NewStreamHandler!(InMemoryConnection.Info));
        connection.PeerEnds();
        connection.Run();

        // RFC 868: "the time 2,208,988,800 corresponds to 00:00 1 Jan 1970 GMT".
        Assert.Equal(2_208_988_800u, BinaryPrimitives.ReadUInt32BigEndian(connection.PeerReceived));
    }

    [Fact]
    public void Datagrams_get_the_same_answers()
    {
        Assert.Equal(["HELLO"], Ask(ClassicServices.Capitalize, "hello"));
        Assert.Equal([""], Ask(ClassicServices.Capitalize, ""));
        Assert.Equal(["hello"], Ask(ClassicServices.Echo, "hello"));
        Assert.Empty(Ask(ClassicServices.Discard, "hello"));
        Assert.Equal(["Thursday, January 1, 1970 00:00:00-UTC\r\n"], Ask(ClassicServices.Daytime, ""));
    }

    private static IEnumerable<string> Ask(Service service, string question)
    {
        DatagramSession session = new(service.NewDatagramHandler!(TestSocket.Of(1)), DatagramLimits.Default, new Ledger());
        session.Received(Encoding.UTF8.GetBytes(question), PeerAddress.IPv4(0x7f000001, 9), TimeSpan.Zero, DateTimeOffset.UnixEpoch);
        return Enumerable.Range(0, session.Outbox.Count).Select(i => Encoding.UTF8.GetString(session.Outbox[i].Bytes.Span));
    }
}
