using CsCheck;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>Handlers and peers that do anything at any moment: whatever happens, a session keeps its word.</summary>
public sealed class InterleavingTests
{
    [Fact]
    public void Whatever_handler_and_peer_do_the_session_ends_once_and_gives_all_memory_back() => Gen.Int.Sample(
        static seed =>
        {
            Random random = new(seed);
            WildHandler handler = new(new Random(seed + 1));
            InMemoryConnection connection = new(handler, seed, Limits(random))
            {
                LargestSend = random.Next(4) == 0 ? 0 : 1 + random.Next(2000),
            };
            for (int i = 0; i < 40; i++)
            {
                Disturb(connection, handler, random);
                for (int steps = random.Next(30); steps > 0 && connection.Step(); steps--)
                {
                }
            }

            // Without an idle time-out a peer that never reads would be waited for.
            connection.LargestSend = 1000;
            connection.PeerEnds();
            handler.Calm();
            connection.Advance(TimeSpan.FromHours(1));
            handler.Ring();
            connection.Advance(TimeSpan.FromHours(1));
            Assert.NotNull(connection.Ended);
            Assert.NotEqual(CloseReason.InvariantViolated, connection.Ended);
            Assert.Equal(1, handler.Closings);
            Assert.Equal(0, connection.RentedBytes);
            LedgerSnapshot counts = connection.Ledger.Read();
            Assert.Equal(0, counts.ConnectionsOpen);
            Assert.Equal(connection.PeerReceived.Length, counts.BytesSent);
            Assert.Equal(handler.Written, counts.BytesSent + counts.BytesUnsent);
        },
        iter: 20_000);

    private static StreamLimits Limits(Random random) => new()
    {
        MaxMessageBytes = 1 + random.Next(3000),
        OutputHighMark = 1 + random.Next(3000),
        MaxPendingOutput = 3000 + random.Next(3000),
        MaxStepsPerRound = 1 + random.Next(5),
        IdleTimeout = random.Next(3) == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(1 + random.Next(100)),
        CloseTimeout = TimeSpan.FromSeconds(random.Next(3)),
    };

    private static void Disturb(InMemoryConnection connection, WildHandler handler, Random random)
    {
        switch (random.Next(100))
        {
            case < 60:
                connection.PeerSends(new byte[random.Next(500)]);
                break;
            case < 75:
                handler.Ring();
                break;
            case < 90:
                connection.Advance(TimeSpan.FromMilliseconds(random.Next(3000)));
                break;
            case < 94:
                connection.PeerEnds();
                break;
            case < 96:
                connection.Drain();
                break;
            case < 97:
                connection.PeerResets();
                break;
        }
    }

    /// <summary>Does anything the contract allows, and throws now and then.</summary>
    private sealed class WildHandler(Random random) : StreamHandler
    {
        private Bell? _bell;
        private bool _calm;
        private bool _finished;

        public int Closings { get; private set; }

        public long Written { get; private set; }

        public override bool IsIdle => random.Next(2) == 0;

        public void Ring() => _bell?.Ring();

        /// <summary>From now on it only ends what it began.</summary>
        public void Calm() => _calm = true;

        public override Next OnOpen(Turn turn)
        {
            _bell = turn.Bell;
            return Anything(turn);
        }

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            Next next = Anything(turn);
            return new Step(_calm ? input.Length : random.Next(input.Length + 1), next);
        }

        public override Next OnEnd(ReadOnlySpan<byte> rest, Turn turn) => Anything(turn);

        public override Next OnFlushed(Turn turn) => Anything(turn);

        public override Next OnRing(Turn turn) => Anything(turn);

        public override Next OnAlarm(Turn turn) => Anything(turn);

        public override Next OnDrain(Turn turn) => Anything(turn);

        public override void OnClosed(CloseReason reason) => Closings++;

        private Next Anything(Turn turn)
        {
            if (_calm)
            {
                return Next.Close;
            }

            if (!_finished && random.Next(3) == 0)
            {
                byte[] bytes = new byte[random.Next(400)];
                turn.Output.Write(bytes);
                Written += bytes.Length;
            }

            if (random.Next(10) == 0)
            {
                turn.Alarm = turn.Now + TimeSpan.FromMilliseconds(random.Next(500));
            }

            Next next = random.Next(100) switch
            {
                < 60 => Next.Stay,
                < 80 => Next.More,
                < 95 => Next.Park,
                < 96 => Next.Finish,
                < 97 => Next.Close,
                < 98 => Next.Abort,
                _ => random.Next(4) == 0 ? throw new FormatException("wild") : Next.Stay,
            };
            _finished |= next == Next.Finish;
            return next;
        }
    }
}
