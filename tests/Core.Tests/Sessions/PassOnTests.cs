using System.Buffers;
using CsCheck;
using Doorbell.Sessions;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>Memory that a lane lends for longer than the call: what is passed on from it is neither copied nor lost.</summary>
public sealed class PassOnTests
{
    private const int Room = 100;
    private const int Much = 10_000;

    [Fact]
    public void Input_that_is_passed_on_is_sent_from_where_it_was_received()
    {
        Memory<byte> lent = Lent();
        StreamSession session = Session(new ScriptedHandler());
        session.Received(lent, Room, default);
        Assert.True(lent.Span[Room..].Overlaps(session.Outgoing.Span, out int place));
        Assert.Equal((0, Much), (place, session.Outgoing.Length));
    }

    [Fact]
    public void What_was_not_sent_when_the_lane_takes_its_memory_back_is_kept()
    {
        Memory<byte> lent = Lent();
        byte[] expected = lent.Span[(Room + 3000)..].ToArray();
        StreamSession session = Session(new ScriptedHandler());
        session.Received(lent, Room, default);
        _ = session.Outgoing;
        session.Sent(3000, default);
        session.TakeBack();
        lent.Span.Fill(0xdd);
        Assert.Equal(expected, session.Outgoing.ToArray());
    }

    [Fact]
    public void What_is_written_behind_it_follows_it()
    {
        Memory<byte> lent = Lent();
        byte[] expected = [.. lent.Span[Room..], 1, 2, 3];
        StreamSession session = Session(new ScriptedHandler
        {
            Bytes = static (input, turn) =>
            {
                turn.Output.Write(input);
                turn.Output.Write([1, 2, 3]);
                return Step.More(input.Length);
            },
        });
        session.Received(lent, Room, default);
        session.TakeBack();
        Assert.Equal(expected, Drained(session));
    }

    [Fact]
    public void Pieces_that_follow_each_other_are_sent_at_once()
    {
        Memory<byte> lent = Lent();
        StreamSession session = Session(new ScriptedHandler
        {
            Bytes = static (input, turn) =>
            {
                turn.Output.Write(input[..(Much / 2)]);
                turn.Output.Write(input[(Much / 2)..]);
                return Step.More(input.Length);
            },
        });
        session.Received(lent, Room, default);
        Assert.Equal(Much, session.Outgoing.Length);
        Assert.True(lent.Span.Overlaps(session.Outgoing.Span));
    }

    [Fact]
    public void What_was_left_unconsumed_is_moved_in_front_of_what_follows()
    {
        byte[] all = new byte[50 + Much];
        new Random(1).NextBytes(all);
        byte[]? offered = null;
        StreamSession session = Session(new ScriptedHandler
        {
            Bytes = (input, _) =>
            {
                offered = input.ToArray();
                return Step.More(input.Length < Much ? 0 : input.Length);
            },
        });
        session.Received(all.AsSpan(0, 50), default);
        Memory<byte> lent = Lent();
        all.AsSpan(50).CopyTo(lent.Span[Room..]);
        session.Received(lent, Room, default);
        Assert.Equal(all, offered);
        Assert.Equal(all.AsSpan(0, 50), lent.Span.Slice(Room - 50, 50));
    }

    [Fact]
    public void Behind_a_reserved_place_all_that_is_written_counts()
    {
        int written = 0;
        StreamSession session = Session(new ScriptedHandler
        {
            Bytes = (input, turn) =>
            {
                int place = turn.Output.Reserve(0);
                turn.Output.Write(input);
                written = turn.Output.WrittenSince(place);
                return Step.More(input.Length);
            },
        });
        session.Received(Lent(), Room, default);
        Assert.Equal(Much, written);
    }

    [Fact]
    public void It_counts_as_pending_output()
    {
        StreamSession session = Session(new ScriptedHandler(), new StreamLimits { MaxPendingOutput = Much - 1, OutputHighMark = 1 });
        session.Received(Lent(), Room, default);
        Assert.Equal(Want.Abort, session.Wants);
        Assert.IsType<PendingOutputException>(session.Fault);
    }

    [Fact]
    public void Whatever_a_handler_passes_on_and_writes_arrives_once_and_in_order() => Gen.Int.Sample(
        static seed =>
        {
            Random random = new(seed);
            MixingHandler handler = new(new Random(seed + 1));
            InMemoryConnection connection = new(handler, seed, new StreamLimits { OutputHighMark = 1 + random.Next(60_000) })
            {
                LargestReceive = 1 + random.Next(60_000),
                LargestSend = 1 + random.Next(60_000),
            };
            for (int i = 0; i < 6; i++)
            {
                byte[] bytes = new byte[random.Next(60_000)];
                random.NextBytes(bytes);
                connection.PeerSends(bytes);
                for (int steps = random.Next(20); steps > 0 && connection.Step(); steps--)
                {
                }
            }

            connection.PeerEnds();
            connection.Run();
            Assert.Equal(CloseReason.Completed, connection.Ended);
            Assert.True(connection.PeerReceived.SequenceEqual(handler.Written));
            Assert.Equal(0, connection.RentedBytes);
        },
        iter: 1000);

    private static StreamSession Session(StreamHandler handler, StreamLimits? limits = null)
    {
        StreamSession session = new(
            handler, limits ?? StreamLimits.Default, InMemoryConnection.Info, new SilentBell(), new Ledger(), ArrayPool<byte>.Shared);
        session.Opened(default, DateTimeOffset.UnixEpoch);
        return session;
    }

    private static Memory<byte> Lent()
    {
        byte[] memory = new byte[Room + Much];
        new Random(2).NextBytes(memory.AsSpan(Room));
        return memory;
    }

    private static byte[] Drained(StreamSession session)
    {
        List<byte> all = [];
        while (session.Outgoing.Length > 0)
        {
            all.AddRange(session.Outgoing.Span);
            session.Sent(session.Outgoing.Length, default);
        }

        return [.. all];
    }

    private sealed class SilentBell : Bell
    {
        public override void Ring()
        {
        }
    }

    /// <summary>Passes pieces of its input on, from anywhere in it, and writes what is its own between them.</summary>
    private sealed class MixingHandler(Random random) : StreamHandler
    {
        private readonly List<byte> _written = [];

        public ReadOnlySpan<byte> Written => System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_written);

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            int place = 0;
            for (int pieces = random.Next(4); pieces > 0; pieces--)
            {
                place = random.Next(3) == 0 ? random.Next(input.Length) : place;
                int length = random.Next(input.Length - place + 1);
                Write(input.Slice(place, length), turn);
                place += length;
                if (random.Next(4) == 0)
                {
                    Write(new byte[random.Next(100)], turn);
                }
            }

            // Always some, so that all is consumed in the end.
            return Step.More(1 + random.Next(input.Length));
        }

        public override Next OnEnd(ReadOnlySpan<byte> rest, Turn turn)
        {
            Write(rest, turn);
            return Next.Close;
        }

        private void Write(ReadOnlySpan<byte> bytes, Turn turn)
        {
            turn.Output.Write(bytes);
            _written.AddRange(bytes);
        }
    }
}
