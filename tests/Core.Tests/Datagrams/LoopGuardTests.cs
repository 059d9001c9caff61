using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>No forged datagram goes round for ever, and clients hardly notice.</summary>
public sealed class LoopGuardTests
{
    private static readonly PeerAddress _local = PeerAddress.IPv4(0x7f000001, 27_777);
    private static readonly PeerAddress _other = PeerAddress.IPv4(0x7f000001, 27_778);
    private static readonly TimeSpan _round = TimeSpan.FromMicroseconds(10);

    private readonly Ledger _ledger = new();

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(13)]
    [InlineData(17)]
    [InlineData(19)]
    [InlineData(37)]
    public void A_port_where_everything_is_answered_gets_no_answer(int port)
    {
        DatagramSession session = Echo(_local);
        foreach (PeerAddress peer in new[]
        {
            PeerAddress.IPv4(0xc0000201, (ushort)port), PeerAddress.IPv6(UInt128.One, (ushort)port, 0),
            PeerAddress.IPv6(((UInt128)0xffff << 32) | 0xc0000201, (ushort)port, 0),
        })
        {
            session.Received("hi"u8, peer, TimeSpan.Zero, default);
        }

        Assert.Equal(0, session.Outbox.Count);
        Assert.Equal(3, _ledger.Read().Dropped(DatagramDrop.ReflectorPort));
        Assert.Equal(3, _ledger.Read().DatagramsReceived);
    }

    [Fact]
    public void The_socket_itself_gets_no_answer()
    {
        PeerAddress mapped = PeerAddress.IPv6(((UInt128)0xffff << 32) | 0x7f000001, 27_777, 0);
        DatagramSession session = Echo(_local);
        session.Received("hi"u8, _local, TimeSpan.Zero, default);
        session.Received("hi"u8, mapped, TimeSpan.Zero, default);
        Assert.Equal(2, _ledger.Read().Dropped(DatagramDrop.OwnAddress));

        // One that is bound to all addresses: the address asked, and each loopback address.
        DatagramSession all = Echo(PeerAddress.IPv6(0, 27_777, 0));
        PeerAddress own = PeerAddress.IPv4(0xc0000205, 27_777);
        all.Received("hi"u8, 2, new DatagramPath(own, PeerAddress.IPv4(0xc0000205, 0)), TimeSpan.Zero, default);
        all.Received("hi"u8, PeerAddress.IPv6(UInt128.One, 27_777, 0), TimeSpan.Zero, default);
        all.Received("hi"u8, _local, TimeSpan.Zero, default);
        Assert.Equal(5, _ledger.Read().Dropped(DatagramDrop.OwnAddress));
        Assert.Equal(0, all.Outbox.Count);

        // Another host with the same port is another server.
        all.Received("hi"u8, 2, new DatagramPath(own, PeerAddress.IPv4(0xc0000206, 0)), TimeSpan.Zero, default);
        Assert.Equal(1, all.Outbox.Count);
    }

    [Fact]
    public void A_unix_socket_that_has_our_name_is_no_peer()
    {
        DatagramSession session = Echo(PeerAddress.FromUnix("/run/door"));
        session.Received("hi"u8, PeerAddress.FromUnix("/run/door"), TimeSpan.Zero, default);
        Assert.Equal(1, _ledger.Read().Dropped(DatagramDrop.OwnAddress));
        session.Received("hi"u8, PeerAddress.FromUnix("/run/client"), TimeSpan.Zero, default);
        Assert.Equal(1, session.Outbox.Count);
    }

    [Fact]
    public void What_a_handler_sends_of_itself_obeys_too()
    {
        DatagramSession session = new(new Sending(PeerAddress.IPv4(0xc0000201, 19)), DatagramLimits.Default, _ledger);
        session.Opened(_local, TimeSpan.Zero, default);
        Assert.Equal(0, session.Outbox.Count);
        Assert.Equal(1, _ledger.Read().Dropped(DatagramDrop.ReflectorPort));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(300)]
    [InlineData(5_000)]
    public void Datagrams_between_two_servers_end(int forged)
    {
        DatagramSession one = Echo(_local);
        DatagramSession two = Echo(_other);
        Queue<bool> toOne = new(Enumerable.Repeat(true, forged));
        TimeSpan now = TimeSpan.Zero;
        long answers = 0;
        while (toOne.TryDequeue(out bool isForOne))
        {
            DatagramSession session = isForOne ? one : two;
            session.Received("hi"u8, isForOne ? _other : _local, now += _round, default);
            if (session.Outbox.Count > 0)
            {
                toOne.Enqueue(!isForOne);
                answers++;
            }

            session.Outbox.Clear();
            Assert.True(now < TimeSpan.FromSeconds(30), "it goes round for ever");
        }

        Assert.InRange(answers, 1, 2_000_000);
        Assert.Equal(forged, _ledger.Read().Dropped(DatagramDrop.SuspectedLoop));
    }

    [Fact]
    public void A_client_that_asks_a_million_times_in_turn_asks_again_a_few_times()
    {
        DatagramSession session = Echo(_local);
        TimeSpan now = TimeSpan.Zero;
        int again = 0;
        for (int answered = 0; answered < 1_000_000;)
        {
            session.Received("hi"u8, _other, now += _round, default);
            bool isAnswered = session.Outbox.Count > 0;
            session.Outbox.Clear();
            answered += isAnswered ? 1 : 0;
            again += isAnswered ? 0 : 1;
            now += isAnswered ? TimeSpan.Zero : TimeSpan.FromMilliseconds(200);
        }

        Assert.InRange(again, 1, 4);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(300)]
    [InlineData(999)]
    public void A_slow_loop_ends_too_and_a_client_as_steady_as_that_loses_few_answers(int milliseconds)
    {
        DatagramSession session = Echo(_local);
        TimeSpan now = TimeSpan.Zero;
        int first = 0;
        int lost = 0;
        for (int i = 1; i <= 20_000; i++)
        {
            session.Received("hi"u8, _other, now += TimeSpan.FromMilliseconds(milliseconds), default);
            lost += session.Outbox.Count == 0 ? 1 : 0;
            first = first == 0 && lost > 0 ? i : first;
            session.Outbox.Clear();
        }

        Assert.InRange(first, 1, DatagramLimits.Default.LoopGuardAnswers + 1);
        Assert.InRange(lost, 1, 2);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(20)]
    public void So_many_answers_are_given_and_then_four_times_as_many(int most)
    {
        LoopGuard guard = new(most);
        guard.Turn(new DatagramPath(_other, _local), _local);
        TimeSpan now = TimeSpan.Zero;
        foreach (int answers in new[] { most, 4 * most, 16 * most })
        {
            for (int i = 0; i < answers; i++)
            {
                Assert.True(guard.MayAnswer(now += _round, out _), $"{i} of {answers}");
            }

            Assert.False(guard.MayAnswer(now += _round, out DatagramDrop why));
            Assert.Equal(DatagramDrop.SuspectedLoop, why);
            now += TimeSpan.FromMilliseconds(11);
        }
    }

    [Fact]
    public void Slow_clients_and_many_clients_lose_nothing()
    {
        DatagramSession session = Echo(_local);
        TimeSpan now = TimeSpan.Zero;
        for (int i = 0; i < 20_000; i++)
        {
            session.Received("hi"u8, _other, now += TimeSpan.FromSeconds(1), default);
            session.Outbox.Clear();
        }

        for (int i = 0; i < 200_000; i++)
        {
            PeerAddress peer = PeerAddress.IPv4((uint)(0x0a000000 + (i % 2_000)), (ushort)(1024 + (i % 60_000)));
            session.Received("hi"u8, peer, now += _round, default);
            session.Outbox.Clear();
        }

        Assert.Equal(0, _ledger.Read().Dropped(DatagramDrop.SuspectedLoop));
    }

    [Fact]
    public void Sockets_that_ask_and_services_that_say_so_answer_everybody()
    {
        foreach (DatagramSession session in new[]
        {
            new DatagramSession(new Echoing(), DatagramLimits.Default, _ledger) { MayClose = true },
            new DatagramSession(new Echoing(), DatagramLimits.Default with { LoopGuardAnswers = 0 }, _ledger),
        })
        {
            session.Opened(_local, TimeSpan.Zero, default);
            session.Received("hi"u8, PeerAddress.IPv4(0xc0000201, 7), TimeSpan.Zero, default);
            Assert.Equal(1, session.Outbox.Count);
        }
    }

    [Fact]
    public void It_allocates_nothing()
    {
        DatagramSession session = Echo(_local);
        long least = long.MaxValue;
        for (int round = 0; round < 5; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 10_000; i++)
            {
                session.Received("hi"u8, _other, TimeSpan.FromMilliseconds(i), default);
                session.Outbox.Clear();
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    private DatagramSession Echo(PeerAddress local)
    {
        DatagramSession session = new(new Echoing(), DatagramLimits.Default, _ledger);
        session.Opened(local, TimeSpan.Zero, default);
        return session;
    }

    private sealed class Echoing : DatagramHandler
    {
        public override void OnDatagram(Datagram datagram, DatagramTurn turn) => turn.Reply(datagram.Bytes);
    }

    private sealed class Sending(PeerAddress to) : DatagramHandler
    {
        public override void OnOpen(DatagramTurn turn) => turn.SendTo(to);

        public override void OnDatagram(Datagram datagram, DatagramTurn turn)
        {
        }
    }
}
