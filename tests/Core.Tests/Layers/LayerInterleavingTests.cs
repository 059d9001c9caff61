using CsCheck;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>Whatever handler and peer do, and however the bytes are cut: behind layers a handler sees and says the same.</summary>
public sealed class LayerInterleavingTests
{
    private static readonly StreamLimits _limits = new() { OutputHighMark = 300, MaxPendingOutput = 100_000, MaxStepsPerRound = 3 };

    [Fact]
    public void A_handler_behind_a_layer_gets_and_gives_the_same_bytes_and_ends_for_the_same_reason() => Gen.Int.Sample(
        static seed =>
        {
            Assert.Equal(Run(seed, Setting.Plain), Run(seed, Setting.Layered));
            Assert.Equal(Run(seed, Setting.Plain), Run(seed, Setting.BehindProxy));
            Assert.Equal(Run(seed, Setting.Plain), Run(seed, Setting.Pushed));
        },
        iter: 1000);

    [Fact]
    public void Whatever_comes_a_layered_session_ends_once_and_gives_all_memory_back() => Gen.Int.Sample(
        static seed =>
        {
            Random random = new(seed);
            ParkingHandler handler = new(new Random(seed), pushes: random.Next(3) == 0);
            InMemoryConnection connection = Connection(handler, seed, random.Next(3) == 0 ? Setting.BehindProxy : Setting.Layered);
            byte[] all =
                [.. RecordPeer.Handshake, .. RecordPeer.Handshake, .. RecordPeer.Wrapped(new byte[400], random), .. RecordPeer.End];
            for (int i = random.Next(3); i > 0; i--)
            {
                all[random.Next(all.Length)] = (byte)random.Next(256);
            }

            for (int at = 0, next; at < all.Length; at = next)
            {
                next = Math.Min(all.Length, at + random.Next(200));
                connection.PeerSends(all.AsSpan(at..next));
                Disturb(connection, handler, random);
            }

            connection.PeerEnds();
            handler.Calm();
            connection.LargestSend = 1000;
            connection.Advance(TimeSpan.FromHours(1));
            handler.Ring();
            connection.Advance(TimeSpan.FromHours(1));
            Assert.NotNull(connection.Ended);
            Assert.NotEqual(CloseReason.InvariantViolated, connection.Ended);
            Assert.True(connection.Fault is null, connection.Fault?.ToString());
            Assert.Equal(1, handler.Closings);
            Assert.Equal(0, connection.RentedBytes);
            Assert.Equal(connection.PeerReceived.Length, connection.Ledger.Read().BytesSent);
        },
        iter: 5000);

    private enum Setting
    {
        Plain,
        Layered,
        BehindProxy,
        Pushed,
    }

    /// <summary>The same conversation; how it is cut is chance's, and so differs from setting to setting.</summary>
    private static (string Read, string Written, CloseReason Reason) Run(int seed, Setting setting)
    {
        Random random = new(seed);
        byte[] plain = new byte[random.Next(2000)];
        random.NextBytes(plain);
        int end = random.Next(4);
        ParkingHandler handler = new(new Random(seed), setting == Setting.Pushed)
        {
            AbortAt = end == 0 ? random.Next(plain.Length + 1) : null,
        };
        InMemoryConnection connection = Connection(handler, seed, setting);
        bool wraps = setting != Setting.Plain;
        byte[] sent = wraps ? [.. RecordPeer.Handshake, .. RecordPeer.Wrapped(plain, random)] : plain;
        connection.PeerSends(sent);
        if (wraps)
        {
            connection.PeerSends(RecordPeer.End);
        }

        connection.PeerEnds();
        for (int i = 0; i < 10_000 && connection.Ended is null; i++)
        {
            connection.Run();
            handler.Ring();
        }

        byte[] received = connection.PeerReceived.ToArray();
        int clear = setting == Setting.Pushed ? Math.Min(received.Length, 2) : 0;
        byte[] written = wraps ? RecordPeer.Unwrapped(received.AsSpan(clear)).Plain : received;
        Assert.Equal(0, connection.RentedBytes);

        // What an abort lets through is chance's.
        return (Convert.ToHexString([.. handler.Read]), end == 0 ? "" : Convert.ToHexString(written), connection.Ended!.Value);
    }

    private static InMemoryConnection Connection(StreamHandler handler, int seed, Setting setting)
    {
        InMemoryConnection connection = new(handler, seed, _limits, layers: setting switch
        {
            Setting.Layered => [static _ => new RecordLayer()],
            Setting.BehindProxy => [ProxyProtocol.Accept([AddressRange.Parse("127.0.0.1")]), static _ => new RecordLayer()],
            _ => null,
        });
        if (setting == Setting.BehindProxy)
        {
            connection.PeerSends("PROXY UNKNOWN\r\n"u8);
        }
        else if (setting == Setting.Pushed)
        {
            connection.PeerSends("S"u8);
        }

        return connection;
    }

    private static void Disturb(InMemoryConnection connection, ParkingHandler handler, Random random)
    {
        switch (random.Next(20))
        {
            case 0:
                connection.Drain();
                break;
            case 1:
                connection.LargestSend = random.Next(2);
                break;
            case < 5:
                handler.Ring();
                break;
            case < 8:
                connection.Advance(TimeSpan.FromMilliseconds(random.Next(1000)));
                break;
        }

        for (int steps = random.Next(30); steps > 0 && connection.Step(); steps--)
        {
        }
    }

    /// <summary>Answers all it reads, a part at a time, parks now and then, and may begin with STARTTLS.</summary>
    private sealed class ParkingHandler(Random random, bool pushes) : StreamHandler
    {
        private bool _isToPush = pushes;
        private bool _calm;
        private Bell? _bell;

        public List<byte> Read { get; } = [];

        public int? AbortAt { get; init; }

        public int Closings { get; private set; }

        public void Ring() => _bell?.Ring();

        public void Calm() => _calm = true;

        public override Next OnOpen(Turn turn)
        {
            _bell = turn.Bell;
            return Next.Stay;
        }

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            if (_isToPush)
            {
                _isToPush = false;
                turn.Output.Write("OK"u8);
                turn.Push(new RecordLayer());
                return Step.More(1);
            }

            int taken = 1 + random.Next(input.Length);
            taken = AbortAt is { } abort ? Math.Min(taken, Math.Max(0, abort - Read.Count)) : taken;
            Read.AddRange(input[..taken]);
            turn.Output.Write(input[..taken]);
            return AbortAt == Read.Count ? Step.Abort() : random.Next(4) == 0 && !_calm ? Step.Park(taken) : Step.More(taken);
        }

        public override void OnClosed(CloseReason reason) => Closings++;
    }
}
