using System.Buffers.Binary;
using System.Diagnostics;
using Doorbell.Links;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>A small protocol of our own: a client that asks until it is answered, a counter that must not count twice.</summary>
public sealed class LossyCounterTests(ITestOutputHelper output)
{
    private static readonly PeerAddress _server = PeerAddress.IPv4(0x0a000001, 7000);
    private static readonly LinkOptions _bad = new()
    {
        Loss = 0.3, Duplicate = 0.1, Reorder = 0.1, Delay = TimeSpan.FromMilliseconds(2), Jitter = TimeSpan.FromMilliseconds(1),
    };

    [Fact]
    public void Each_question_is_counted_once() => Simulation.RunSeeds(100, static network => Ask(network, new Counter(), 20, 3));

    [Fact]
    public void A_counter_that_forgets_to_look_for_duplicates_is_found_within_5_seeds_and_its_seed_finds_it_again()
    {
        static void Broken(SimulatedNetwork network) => Ask(network, new Counter { Forgets = true }, 20, 3);
        SimulationFailedException found = Assert.Throws<SimulationFailedException>(static () =>
        {
            for (ulong seed = 0; seed < 5; seed++)
            {
                Simulation.Run(seed, Broken);
            }
        });
        Assert.Contains($"DOORBELL_SEED={found.Seed}", found.Message, StringComparison.Ordinal);
        Assert.Equal(found.Message, Assert.Throws<SimulationFailedException>(() => Simulation.Run(found.Seed, Broken)).Message);
        Simulation.Run(found.Seed, static network => Ask(network, new Counter(), 20, 3));
    }

    [Fact]
    public void The_same_seed_gives_the_same_trace_and_another_seed_another()
    {
        static ulong Trace(ulong seed)
        {
            SimulatedNetwork network = new(seed);
            Ask(network, new Counter(), 20, 3);
            return network.TraceHash;
        }

        Assert.Equal(Trace(11), Trace(11));
        Assert.NotEqual(Trace(11), Trace(12));
    }

    [Fact]
    public void A_million_datagrams_on_one_thread()
    {
        long started = Stopwatch.GetTimestamp();
        SimulatedNetwork network = new(13);
        Ask(network, new Counter(), 2_500, 200);
        TimeSpan took = Stopwatch.GetElapsedTime(started);
        SimulatedHost server = network.Host(_server);
        LinkCounts up = network.Link(network.Host("client"), server).ReadCounts();
        LinkCounts down = network.Link(server, network.Host("client")).ReadCounts();
        long datagrams = up.Received + down.Received;
        Assert.True(datagrams > 1_000_000);
        output.WriteLine($"{datagrams} datagrams in {took.TotalSeconds:0.00} s: {datagrams / took.TotalSeconds:0} a second");
    }

    [Fact]
    public void A_datagram_allocates_nothing()
    {
        SimulatedNetwork network = new(14);
        Ask(network, new Counter(), 500, 20);
        int answers = 0;
        SimulatedDatagramSocket client = network.BindDatagram(network.Host("another").At(1), (_, _, _) => answers++);
        long least = long.MaxValue;
        for (int round = 0; round < 4; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 10_000; i++)
            {
                client.Send(_server, "12345678"u8);
                network.RunUntilIdle();
            }

            // The first round fills the pools and tables; in a later one the runtime may compile a method anew, and allocates meanwhile.
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.True(least < 10_000, $"10,000 datagrams allocate {least} bytes");
        Assert.InRange(answers, 16_000, 28_000);
    }

    private static void Ask(SimulatedNetwork network, Counter counter, int questions, int clients)
    {
        network.DefaultLink = _bad;
        SimulatedDatagramServer server = network.BindDatagram(_server, new Service("counter") { NewDatagramHandler = _ => counter });
        Asker[] askers = new Asker[clients];
        for (int i = 0; i < clients; i++)
        {
            askers[i] = new Asker(network, (ushort)(50_000 + i), questions);
        }

        network.RunUntilIdle();
        Assert.Null(server.Fault);
        Assert.All(askers, asker => Assert.Equal(questions, asker.Answered));
        Assert.Equal(questions * clients, counter.Count);
    }

    /// <summary>Counts a question once, however often it comes. A peer's numbers rise: it asks the next when one is answered.</summary>
    private sealed class Counter : DatagramHandler
    {
        private readonly Dictionary<PeerAddress, long> _last = [];

        public bool Forgets { get; init; }

        public int Count { get; private set; }

        public override void OnDatagram(Datagram datagram, DatagramTurn turn)
        {
            long number = BinaryPrimitives.ReadInt64BigEndian(datagram.Bytes);
            if (Forgets || number > _last.GetValueOrDefault(datagram.From))
            {
                _last[datagram.From] = number;
                Count++;
            }

            turn.Reply(datagram.Bytes);
        }
    }

    /// <summary>A pure state machine in miniature: sends a number until the same comes back, then the next.</summary>
    private sealed class Asker
    {
        private static readonly TimeSpan _patience = TimeSpan.FromMilliseconds(20);
        private readonly SimulatedNetwork _network;
        private readonly SimulatedDatagramSocket _socket;
        private readonly int _questions;

        public Asker(SimulatedNetwork network, ushort port, int questions)
        {
            _network = network;
            _questions = questions;
            _socket = network.BindDatagram(network.Host("client").At(port), Receive);
            _socket.AlarmDue = Send;
            Send();
        }

        public int Answered { get; private set; }

        private void Send()
        {
            Span<byte> question = stackalloc byte[8];
            BinaryPrimitives.WriteInt64BigEndian(question, Answered + 1);
            _socket.Send(_server, question);
            _socket.Alarm = _network.Now + _patience;
        }

        private void Receive(ReadOnlySpan<byte> bytes, PeerAddress from, TimeSpan now)
        {
            if (BinaryPrimitives.ReadInt64BigEndian(bytes) != Answered + 1)
            {
                return; // an answer that came twice, or late
            }

            Answered++;
            _socket.Alarm = null;
            if (Answered < _questions)
            {
                Send();
            }
        }
    }
}
