using System.Buffers;
using System.Buffers.Binary;
using Doorbell.Coap;
using Doorbell.Coap.Codec;
using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>No allocation for a small request once the buffers are warm and the table of exchanges is full.</summary>
public sealed class CoapAllocationTests
{
    private const int Warm = 2_000;
    private const int Requests = 20_000;

    /// <summary>The runtime allocates on this thread too while it compiles a method anew: the round without that counts.</summary>
    private const int Rounds = 5;

    [Theory]
    [InlineData("effect")]
    [InlineData("capitalize")]
    [InlineData("none")]
    public void A_request_allocates_nothing(string path) => Assert.Equal(0, AllocatedBy(path, CoapPeer.Near));

    [Fact]
    public void Nor_does_a_strangers() => Assert.Equal(0, AllocatedBy("effect", CoapPeer.Stranger));

    private static long AllocatedBy(string path, PeerAddress from)
    {
        CoapServer server = new(CoapServerLimits.Default with { MaxExchanges = 1000 }, TestSocket.Of(1));
        server.Add("capitalize", CoapResource.From(ClassicServices.Capitalize) with { HasEffect = false });
        server.Add("effect", static (request, body) =>
        {
            body.Write(request.Payload);
            return CoapCode.Changed;
        });
        DatagramSession session = new(new CoapHandler(server), DatagramLimits.Default, new Ledger(CoapServerCounts.Counters));
        byte[] question = new byte[64];
        CoapWriter writer = new(question, CoapType.Confirmable, CoapCode.Post, 0, new CoapToken(7, 2));
        writer.Option(CoapOptionNumber.UriPath, System.Text.Encoding.UTF8.GetBytes(path));
        writer.Payload("a sentence of some length"u8);
        int length = writer.Length;
        long before = 0;
        long least = long.MaxValue;
        for (int i = 0; i < Warm + (Rounds * Requests); i++)
        {
            if (i >= Warm && (i - Warm) % Requests == 0)
            {
                long now = GC.GetAllocatedBytesForCurrentThread();
                least = i == Warm ? least : Math.Min(least, now - before);
                before = now;
            }

            BinaryPrimitives.WriteUInt16BigEndian(question.AsSpan(2), (ushort)i);
            session.Received(question.AsSpan(0, length), from, TimeSpan.FromMilliseconds(i), default);
            if (session.Outbox.Count != 1)
            {
                throw new InvalidOperationException("no answer");
            }

            session.Outbox.Clear();
            if (session.Deadline <= TimeSpan.FromMilliseconds(i))
            {
                session.Tick(TimeSpan.FromMilliseconds(i), default);
            }
        }

        return Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
