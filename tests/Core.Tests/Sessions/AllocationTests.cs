using System.Buffers;
using Doorbell.Sessions;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>No allocation for a request once the buffers are warm.</summary>
public sealed class AllocationTests
{
    private const int Requests = 20_000;

    [Fact]
    public void A_stream_request_allocates_nothing()
    {
        Service lines = Service.Lines("lines", static (line, answer) => UpperCase.Ascii(line, answer));
        foreach (Service service in new[] { ClassicServices.Capitalize, ClassicServices.Echo, lines })
        {
            StreamSession session = new(
                service.NewStreamHandler!(InMemoryConnection.Info),
                StreamLimits.Default,
                InMemoryConnection.Info,
                new SilentBell(),
                new Ledger(),
                ArrayPool<byte>.Shared);
            session.Opened(TimeSpan.Zero, DateTimeOffset.UnixEpoch);
            byte[] line = "a line of thirty-two bytes, ßtraße\n"u8.ToArray();
            Assert.Equal(0, AllocatedBy(() => Exchange(session, line)));
        }
    }

    [Fact]
    public void A_session_is_no_larger_than_what_it_does_needs()
    {
        // 344 before there were layers. Layers cost nothing where there are none; 16 are the bytes counted for each connection that a
        // server lists, and 8 the connections that a handler may ask for.
        // And 8 are since when the peer has been at rest, and 8 what the handler keeps besides.
        const int SessionAndItsOutputBuffer = 376;
        StreamHandler handler = ClassicServices.Echo.NewStreamHandler!(InMemoryConnection.Info);
        Ledger ledger = new();
        SilentBell bell = new();
        long least = long.MaxValue;
        for (int round = 0; round < 10; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            StreamSession session = new(handler, StreamLimits.Default, InMemoryConnection.Info, bell, ledger, ArrayPool<byte>.Shared);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.Equal(Want.None, session.Wants);
        }

        Assert.InRange(least, 1, SessionAndItsOutputBuffer);
    }

    [Fact]
    public void A_datagram_allocates_nothing()
    {
        DatagramHandler handler = ClassicServices.Capitalize.NewDatagramHandler!(TestSocket.Of(1));
        DatagramSession session = new(handler, DatagramLimits.Default, new Ledger());
        byte[] question = "hello, straße"u8.ToArray();
        Assert.Equal(0, AllocatedBy(() =>
        {
            session.Received(question, PeerAddress.IPv4(0x7f000001, 9), TimeSpan.Zero, DateTimeOffset.UnixEpoch);
            session.Outbox.Clear();
        }));
    }

    private static void Exchange(StreamSession session, byte[] line)
    {
        session.Received(line, TimeSpan.Zero);
        int outgoing = session.Outgoing.Length;
        if (outgoing < line.Length)
        {
            throw new InvalidOperationException("no answer");
        }

        session.Sent(outgoing, TimeSpan.Zero);
    }

    private static long AllocatedBy(Action request)
    {
        for (int i = 0; i < 1000; i++)
        {
            request();
        }

        long least = long.MaxValue;
        for (int round = 0; round < 5; round++)
        {
            // The runtime allocates on this thread too while it compiles a method anew: the round without that counts.
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < Requests; i++)
            {
                request();
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }

    private sealed class SilentBell : Bell
    {
        public override void Ring()
        {
        }
    }
}
