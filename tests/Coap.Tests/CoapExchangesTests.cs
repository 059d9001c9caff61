using CsCheck;
using Doorbell.Coap;
using Doorbell.Coap.Codec;
using Doorbell.Coap.Server;

namespace Doorbell.Tests;

/// <summary>The ring of exchanges behaves as the plainest list does.</summary>
public sealed class CoapExchangesTests
{
    [Fact]
    public void The_ring_remembers_what_a_list_would() => Gen.Select(
        Gen.Int[1, 200],
        Gen.Select(Gen.Int[0, 300], Gen.Int[0, 40], Gen.Int[0, 100]).Array[0, 1500]).Sample(static (capacity, deeds) =>
        {
            CoapExchanges ring = new(capacity);
            List<(int Id, TimeSpan Until, byte Answer)> list = [];
            long evicted = 0;
            TimeSpan now = default;
            byte answer = 0;
            foreach ((int id, int seconds, int length) in deeds)
            {
                now += seconds < 30 ? default : TimeSpan.FromSeconds(seconds - 30);
                ring.Expire(now);
                while (list.Count > 0 && list[0].Until <= now)
                {
                    list.RemoveAt(0);
                }

                int index = list.FindIndex(each => each.Id == id);
                bool known = index >= 0 && list[index].Until > now;
                CoapMessage message = Message(id);
                Assert.Equal(known, ring.TryFind(CoapPeer.Near, message, now, out ReadOnlySpan<byte> found));
                if (known)
                {
                    Assert.True(found.IsEmpty || found[0] == list[index].Answer);
                    continue;
                }

                answer++;
                ring.Add(CoapPeer.Near, message, Enumerable.Repeat(answer, length).ToArray(), now);
                TimeSpan until = now + (id % 2 == 0 ? CoapServerLimits.ExchangeLifetime : CoapServerLimits.NonLifetime);
                if (index >= 0)
                {
                    list[index] = (id, until, answer);
                    continue;
                }

                if (list.Count == capacity)
                {
                    evicted += list[0].Until > now ? 1 : 0;
                    list.RemoveAt(0);
                }

                list.Add((id, until, answer));
            }

            Assert.Equal((list.Count, evicted), (ring.Count, ring.Evicted));
        }, iter: 300);

    /// <summary>Even numbers are confirmable; each has its own token too.</summary>
    private static CoapMessage Message(int id)
    {
        byte[] bytes = new byte[16];
        CoapType type = id % 2 == 0 ? CoapType.Confirmable : CoapType.NonConfirmable;
        CoapWriter writer = new(bytes, type, CoapCode.Post, (ushort)(id / 2), CoapToken.From([(byte)id]));
        Assert.Equal(CoapFormatError.None, CoapMessage.TryRead(bytes.AsSpan(0, writer.Length), out CoapMessage message));
        return message;
    }
}
