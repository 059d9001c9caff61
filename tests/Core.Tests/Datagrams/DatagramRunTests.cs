using CsCheck;
using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>Datagrams are joined into runs and cut by a stride; what comes out is what went in.</summary>
public sealed class DatagramRunTests
{
    private static readonly SegmentLimits _limits = new(64, ushort.MaxValue, 65_507);

    private static readonly PeerAddress[] _peers =
        [PeerAddress.IPv4(0x7f000001, 1), PeerAddress.IPv4(0x7f000001, 2), PeerAddress.IPv6(1, 1, 0)];

    /// <summary>Few sizes, so that runs are common; empty ones and large ones among them.</summary>
    private static readonly Gen<(int Size, int Peer)[]> _answers =
        Gen.Select(Gen.OneOfConst(0, 1, 5, 5, 5, 5, 32, 32, 32, 3000), Gen.Int[0, 2]).Array[0, 300];

    [Fact]
    public void Cut_again_the_runs_are_the_datagrams_each_in_its_place() => _answers.Sample(answers =>
    {
        DatagramOutbox outbox = OutboxOf(answers);
        List<(int Size, PeerAddress To)> cut = [];
        for (int next = 0; next < outbox.Count;)
        {
            DatagramRun run = outbox.RunFrom(next, _limits);
            AssertAllowed(run, _limits);
            PeerAddress to = outbox.PathOf(next).Peer;
            ReadOnlySpan<byte> rest = outbox.Bytes.Slice(run.Offset, run.Length);
            for (int i = 0; i < run.Count; i++)
            {
                ReadOnlySpan<byte> datagram = rest[..Math.Min(run.SegmentBytes, rest.Length)];
                Assert.True(datagram.SequenceEqual(outbox[next + i].Bytes.Span));
                cut.Add((datagram.Length, to));
                rest = rest[datagram.Length..];
            }

            Assert.True(rest.IsEmpty);
            next += run.Count;
        }

        Assert.Equal(answers.Select(static answer => (answer.Size, _peers[answer.Peer])), cut);
    });

    [Fact]
    public void A_run_is_as_long_as_it_may_be() => _answers.Sample(answers =>
    {
        DatagramOutbox outbox = OutboxOf(answers);
        for (int next = 0; next < outbox.Count;)
        {
            DatagramRun run = outbox.RunFrom(next, _limits);
            int behind = next + run.Count;
            if (behind < outbox.Count && outbox.PathOf(behind) == outbox.PathOf(next))
            {
                int length = outbox[behind].Bytes.Length;
                Assert.True(
                    run.Count == _limits.MaxSegments || length == 0 || run.SegmentBytes == 0 || length > run.SegmentBytes
                    || run.Length + length > _limits.MaxBytes || outbox[behind - 1].Bytes.Length < run.SegmentBytes);
            }

            next = behind;
        }
    });

    [Fact]
    public void What_the_kernel_has_joined_is_handled_one_by_one_with_every_limit_by_itself() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[0, 400], Gen.Int[0, 40]).Sample(static (stride, length, limit) =>
        {
            List<byte[]> seen = [];
            Ledger ledger = new();
            Recording handler = new(seen);
            DatagramSession session = new(handler, DatagramLimits.Default with { MaxDatagramBytes = limit + 1 }, ledger);
            byte[] joined = [.. Enumerable.Range(0, length).Select(static i => (byte)(i % Recording.Bad))];
            DatagramPath path = new(PeerAddress.IPv4(0xc0000201, 9), default);
            int done = 0;
            int answers = 0;
            do
            {
                done += session.Received(joined.AsSpan(done), stride, path, default, default);
                Assert.True(session.Outbox.IsFull || done == length);
                answers += session.Outbox.Count;
                session.Outbox.Clear();
            }
            while (done < length);
            byte[][] datagrams = length == 0 ? [[]] : [.. joined.Chunk(stride)];
            byte[][] whole = [.. datagrams.Where(datagram => datagram.Length <= limit + 1)];
            Assert.Equal(whole, seen);
            LedgerSnapshot counts = ledger.Read();
            Assert.Equal(whole.Length, counts.DatagramsReceived);
            Assert.Equal(whole.Sum(static datagram => datagram.Length), counts.BytesReceived);
            Assert.Equal(datagrams.Length - whole.Length, counts.Dropped(DatagramDrop.Truncated));

            // Three times its own bytes may go back for each: the fourth echo is too many, of each alone.
            Assert.Equal(whole.Sum(static datagram => datagram.Length == 0 ? 4 : 3), answers);
            Assert.Equal(whole.Count(static datagram => datagram.Length > 0), counts.Dropped(DatagramDrop.Amplification));
        });

    [Fact]
    public void A_full_outbox_and_a_fault_stop_the_cutting_and_the_rest_is_given_again()
    {
        List<byte[]> seen = [];
        DatagramSession session = new(new Recording(seen), DatagramLimits.Default, new Ledger());
        byte[] joined = new byte[2000];
        joined[9] = Recording.Bad;
        DatagramPath path = new(_peers[0], default);
        Assert.Equal(10, session.Received(joined, 1, path, default, default));
        Assert.NotNull(session.Fault);
        session.Fault = null;
        int done = 10;
        int sent = 0;
        while (done < joined.Length)
        {
            done += session.Received(joined.AsSpan(done), 1, path, default, default);
            Assert.True(session.Outbox.IsFull || done == joined.Length);
            sent += session.Outbox.Count;
            session.Outbox.Clear();
        }

        Assert.Equal(2000, seen.Count);
        Assert.Equal(4 * 1999, sent);
    }

    [Fact]
    public void A_datagram_to_one_address_and_one_to_another_are_never_joined()
    {
        DatagramSession session = new(new Recording([]), DatagramLimits.Default with { MaxAnswersPerTurn = 1 }, new Ledger());
        PeerAddress here = PeerAddress.IPv4(0x7f000001, 0);
        PeerAddress there = PeerAddress.IPv4(0x7f000002, 0);
        foreach (PeerAddress local in new[] { here, here, there, here })
        {
            session.Received("x"u8, 1, new DatagramPath(_peers[0], local), default, default);
        }

        Assert.Equal(4, session.Outbox.Count);
        Assert.Equal(2, session.Outbox.RunFrom(0, _limits).Count);
        Assert.Equal(1, session.Outbox.RunFrom(2, _limits).Count);
        Assert.Equal(there, session.Outbox.PathOf(2).Local);
        Assert.Equal(1, session.Outbox.RunFrom(0, SegmentLimits.None).Count);
        Assert.Equal(1, session.Outbox.RunFrom(0, _limits with { MaxSegmentBytes = 0 }).Count);
    }

    private static void AssertAllowed(DatagramRun run, SegmentLimits limits)
    {
        Assert.InRange(run.Count, 1, limits.MaxSegments);
        Assert.True(run.Count == 1 || (run.Length <= limits.MaxBytes && run.Length > (run.Count - 1) * run.SegmentBytes));
    }

    /// <summary>One handler's answers of these sizes, to these peers, in one turn; their bytes are all different in a row.</summary>
    private static DatagramOutbox OutboxOf((int Size, int Peer)[] answers)
    {
        DatagramSession session = new(new Sending(answers), DatagramLimits.Default, new Ledger());
        session.Received(default, PeerAddress.IPv4(0x7f000009, 9), default, default);
        return session.Outbox;
    }

    private sealed class Sending((int Size, int Peer)[] answers) : DatagramHandler
    {
        public override void OnDatagram(Datagram datagram, DatagramTurn turn)
        {
            byte next = 0;
            foreach ((int size, int peer) in answers)
            {
                Span<byte> room = turn.Output.GetSpan(size);
                for (int i = 0; i < size; i++)
                {
                    room[i] = next++;
                }

                turn.Output.Advance(size);
                turn.SendTo(_peers[peer]);
            }
        }
    }

    /// <summary>Echoes four times; faults on one kind of byte.</summary>
    private sealed class Recording(List<byte[]> seen) : DatagramHandler
    {
        public const byte Bad = 255;

        public override void OnDatagram(Datagram datagram, DatagramTurn turn)
        {
            seen.Add(datagram.Bytes.ToArray());
            if (datagram.Bytes is [Bad])
            {
                throw new FormatException("bad");
            }

            for (int i = 0; i < 4; i++)
            {
                turn.Reply(datagram.Bytes);
            }
        }
    }
}
