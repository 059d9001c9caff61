using System.Text;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>A broker's members in memory.</summary>
public sealed class BrokerTests
{
    [Fact]
    public void Everyone_but_the_speaker_hears_what_is_said_in_order_however_the_streams_are_cut()
    {
        for (int seed = 0; seed < 100; seed++)
        {
            Random random = new(seed);
            InMemoryConnection[] members = Members(Broker.New(), 4, seed);
            byte[] said = new byte[random.Next(1, 50_000)];
            random.NextBytes(said);
            for (int at = 0; at < said.Length;)
            {
                int count = Math.Min(said.Length - at, 1 + random.Next(8_000));
                members[1].PeerSends(said.AsSpan(at, count));
                at += count;
                Run(members);
            }

            Assert.True(members[1].PeerReceived.IsEmpty);
            Assert.All([members[0], members[2], members[3]], member => Assert.Equal(said, member.PeerReceived.ToArray()));
        }
    }

    [Fact]
    public void Who_comes_later_hears_nothing_of_before_and_who_has_gone_is_told_nothing()
    {
        Service broker = Broker.New();
        InMemoryConnection first = Member(broker, 1);
        InMemoryConnection second = Member(broker, 2);
        first.PeerSends("one "u8);
        Run(first, second);
        InMemoryConnection third = Member(broker, 3);
        second.PeerEnds();
        Run(first, second, third);
        Assert.Equal(CloseReason.Completed, second.Ended);
        first.PeerSends("two"u8);
        Run(first, second, third);
        Assert.Equal(("one ", "two"), (Text(second), Text(third)));
        Assert.Equal(0, first.RentedBytes + third.RentedBytes);
    }

    [Fact]
    public void Who_ends_its_side_is_first_sent_what_was_said_before()
    {
        Service broker = Broker.New();
        InMemoryConnection speaker = Member(broker, 1);
        InMemoryConnection ends = Member(broker, 2);
        speaker.PeerSends("last words"u8);
        speaker.Run();
        ends.PeerEnds();
        Run(speaker, ends);
        Assert.Equal(("last words", CloseReason.Completed), (Text(ends), ends.Ended));
    }

    [Fact]
    public void Who_does_not_read_is_reset_at_its_limit_and_nobody_else_notices()
    {
        Service broker = Broker.New();
        StreamLimits limits = broker.StreamLimits with { OutputHighMark = 1_000, MaxPendingOutput = 10_000 };
        Ledger ledger = new();
        InMemoryConnection speaker = new(broker.NewStreamHandler!(InMemoryConnection.Info), 1, limits, ledger);
        InMemoryConnection deaf = new(broker.NewStreamHandler!(InMemoryConnection.Info), 2, limits, ledger) { LargestSend = 0 };
        InMemoryConnection listener = new(broker.NewStreamHandler!(InMemoryConnection.Info), 3, limits, ledger);
        Run(speaker, deaf, listener);
        for (int said = 0; said < 20; said++)
        {
            speaker.PeerSends(new byte[1_000]);
            Run(speaker, deaf, listener);
        }

        Assert.Equal((CloseReason.PendingOutputExceeded, true), (deaf.Ended, deaf.WasReset));
        Assert.Equal(1, ledger.Read().Closed(CloseReason.PendingOutputExceeded));
        Assert.Null(speaker.Ended);
        Assert.Equal(20_000, listener.PeerReceived.Length);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1_000)]
    public void What_waits_for_a_lane_that_does_not_come_round_is_bounded_too(int piece)
    {
        Service broker = Broker.New();
        StreamLimits limits = broker.StreamLimits with { OutputHighMark = 1_000, MaxPendingOutput = 10_000 };
        InMemoryConnection speaker = new(broker.NewStreamHandler!(InMemoryConnection.Info), 1, limits);
        InMemoryConnection late = new(broker.NewStreamHandler!(InMemoryConnection.Info), 2, limits);
        Run(speaker, late);
        for (int said = 0; said < 1_000; said++)
        {
            speaker.PeerSends(new byte[piece]);
            speaker.Run();
        }

        late.Run();
        Assert.Equal(CloseReason.PendingOutputExceeded, late.Ended);
    }

    [Fact]
    public void Members_that_send_much_before_they_read_do_not_wait_for_each_other()
    {
        Service broker = Broker.New();
        InMemoryConnection[] members = Members(broker, 2, 1);
        foreach (InMemoryConnection member in members)
        {
            member.LargestSend = 0;
            member.PeerSends(new byte[500_000]);
        }

        Run(members);
        members[0].LargestSend = members[1].LargestSend = 64 * 1024;
        Run(members);
        Assert.All(members, static member => Assert.Equal(500_000, member.PeerReceived.Length));
    }

    [Fact]
    public void A_silent_member_stays_and_two_brokers_do_not_hear_each_other()
    {
        InMemoryConnection here = Member(Broker.New(), 1);
        InMemoryConnection there = Member(Broker.New(), 2);
        Run(here, there);
        here.Advance(TimeSpan.FromHours(2));
        here.PeerSends("anyone?"u8);
        Run(here, there);
        Assert.Null(here.Ended);
        Assert.Equal("", Text(there));
    }

    private static string Text(InMemoryConnection member) => Encoding.ASCII.GetString(member.PeerReceived);

    private static InMemoryConnection Member(Service broker, int seed) =>
        new(broker.NewStreamHandler!(InMemoryConnection.Info), seed, broker.StreamLimits) { CutAtRandom = true };

    private static InMemoryConnection[] Members(Service broker, int count, int seed)
    {
        InMemoryConnection[] members = [.. Enumerable.Range(0, count).Select(number => Member(broker, (seed * 10) + number))];
        Run(members);
        return members;
    }

    private static void Run(params InMemoryConnection[] members)
    {
        bool any;
        do
        {
            any = false;
            foreach (InMemoryConnection member in members)
            {
                any |= member.Step();
            }
        }
        while (any);
    }
}
