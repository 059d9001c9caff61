using Doorbell.Links;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>Framed services on the simulated network, over good links and bad: nothing is lost, added or reordered.</summary>
public sealed class StreamTests
{
    private static readonly PeerAddress _server = PeerAddress.IPv4(0x0a000001, 7000);
    private static readonly PeerAddress _client = PeerAddress.IPv4(0x0a000002, 50_000);
    /// <summary>Over a bad link a first byte may take longer than the minute that it has by default.</summary>
    private static readonly StreamLimits _patient = StreamLimits.Default with
    {
        IdleTimeout = TimeSpan.FromHours(1), FirstByteTimeout = Timeout.InfiniteTimeSpan,
    };
    private static readonly Framing[] _framings =
    [
        Framing.Line, Framing.Nul, Framing.Delimiter("<>"u8), Framing.FixedLength(7),
        Framing.LengthPrefix(1), Framing.LengthPrefix(2), Framing.LengthPrefix(4),
    ];

    [Fact]
    public void Over_every_framing_nothing_is_lost_added_or_reordered() => Simulation.RunSeeds(10_000, Same);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(ulong.MaxValue)]
    public void Nor_with_these_seeds(ulong seed) => Simulation.Run(seed, Same);

    [Fact]
    public void The_same_seed_gives_the_same_run_and_another_seed_another()
    {
        static Service NewService(Framing framing) => ClassicServices.Echo;
        Assert.Equal(Visit(new SimulatedNetwork(7), NewService), Visit(new SimulatedNetwork(7), NewService));
        Assert.NotEqual(Visit(new SimulatedNetwork(7), NewService), Visit(new SimulatedNetwork(8), NewService));
    }

    [Fact]
    public void A_handler_that_loses_a_byte_where_a_piece_ends_is_found_within_20_seeds_and_its_seed_finds_it_again()
    {
        static void Lossy(SimulatedNetwork network) =>
            Visit(network, static _ => new Service("lossy") { NewStreamHandler = static _ => new LosesAByte() });
        static void Sound(SimulatedNetwork network) => Visit(network, static _ => ClassicServices.Echo);

        SimulationFailedException found = Assert.Throws<SimulationFailedException>(static () =>
        {
            for (ulong seed = 0; seed < 20; seed++)
            {
                Simulation.Run(seed, Lossy);
            }
        });
        Assert.Contains($"DOORBELL_SEED={found.Seed}", found.Message, StringComparison.Ordinal);
        Assert.Equal(found.Message, Assert.Throws<SimulationFailedException>(() => Simulation.Run(found.Seed, Lossy)).Message);
        Simulation.Run(found.Seed, Sound);
    }

    private static void Same(SimulatedNetwork network) =>
        Visit(network, static framing => Service.Framed("same", framing, static (message, answer) =>
        {
            message.CopyTo(answer.GetSpan(message.Length + 1));
            answer.Advance(message.Length);
        }));

    private static ulong Visit(SimulatedNetwork network, Func<Framing, Service> newService)
    {
        Framing framing = _framings[network.Random.Next(_framings.Length)];
        SimulatedListener listener = network.ListenStream(_server, newService(framing) with { StreamLimits = _patient });
        Worsen(network);
        SimulatedClient client = network.ConnectStream(_client, _server);
        byte[] sent = Messages(framing, network.Random);
        bool resets = network.Random.Next(4) == 0;
        if (network.Random.Next(3) == 0)
        {
            client.StopReading();
            network.After(TimeSpan.FromMilliseconds(network.Random.Next(50)), client.ResumeReading);
        }

        int cut = network.Random.Next(sent.Length + 1);
        client.Send(sent.AsSpan(0, cut));
        network.Run(TimeSpan.FromMilliseconds(network.Random.Next(20)));
        client.Send(sent.AsSpan(cut));
        client.End();
        if (resets)
        {
            Reset(network, client, sent.Length);
        }

        network.RunUntilIdle();
        Assert.True(sent.AsSpan().StartsWith(client.Received), "what came back is no prefix of what was sent");

        // Over a bad link all of TCP's SYNs may be lost; then the client is told.
        resets |= !client.IsConnected && client.Failure == ConnectionFailure.TimedOut;
        Assert.True(resets || client.Received.Length == sent.Length, $"{client.Received.Length} of {sent.Length} bytes came back");
        Assert.True(resets || client.ServerEnded, "the server has not ended");
        Assert.True(resets || client.Failure == ConnectionFailure.None, $"the connection failed: {client.Failure}");
        Assert.InRange(listener.Ledger.Read().ConnectionsOpened, resets ? 0 : 1, 1);
        Assert.Equal(0, listener.Ledger.Read().ConnectionsOpen);
        Assert.Equal(0, listener.RentedBytes);
        return network.TraceHash;
    }

    /// <summary>In every second run the links are bad, and in some of those the hosts are parted for a while.</summary>
    private static void Worsen(SimulatedNetwork network)
    {
        Random random = network.Random;
        if (random.Next(2) == 0)
        {
            return;
        }

        network.DefaultLink = new LinkOptions
        {
            Loss = random.NextDouble() * 0.2,
            Duplicate = random.NextDouble() * 0.2,
            Reorder = random.NextDouble() * 0.2,
            Corrupt = random.NextDouble() * 0.05,
            Delay = TimeSpan.FromMilliseconds(random.Next(50)),
            Jitter = TimeSpan.FromMilliseconds(random.Next(20)),
            BitsPerSecond = random.Next(3) == 0 ? 1_000_000 : 0,
            Mtu = random.Next(3) == 0 ? 68 + random.Next(1500) : 0,
        };
        if (random.Next(3) == 0)
        {
            TimeSpan parted = TimeSpan.FromMilliseconds(random.Next(1_000));
            network.After(parted, () => network.Partition(network.Host(_server), network.Host(_client)));
            network.After(
                parted + TimeSpan.FromMilliseconds(random.Next(5_000)),
                () => network.Heal(network.Host(_server), network.Host(_client)));
        }
    }

    /// <summary>At a moment, or at a byte of one direction or the other.</summary>
    private static void Reset(SimulatedNetwork network, SimulatedClient client, int bytes)
    {
        switch (network.Random.Next(3))
        {
            case 0:
                network.After(TimeSpan.FromMilliseconds(network.Random.Next(10)), client.Reset);
                break;
            case 1:
                client.ResetAfterSending(network.Random.Next(bytes + 1));
                break;
            default:
                client.ResetAfterReceiving(network.Random.Next(bytes + 1));
                break;
        }
    }

    /// <summary>Messages of letters, framed.</summary>
    private static byte[] Messages(Framing framing, Random random)
    {
        List<byte> all = [];
        for (int i = 1 + random.Next(20); i > 0; i--)
        {
            byte[] message = new byte[framing == _framings[3] ? 7 : random.Next(120)];
            foreach (ref byte letter in message.AsSpan())
            {
                letter = (byte)('a' + random.Next(26));
            }

            int prefix = framing == _framings[4] ? 1 : framing == _framings[5] ? 2 : framing == _framings[6] ? 4 : 0;
            all.AddRange(new byte[Math.Max(0, prefix - 1)]);
            all.AddRange(prefix > 0 ? [(byte)message.Length] : []);
            all.AddRange(message);
            all.AddRange(framing == _framings[0] ? "\n"u8 : framing == _framings[1] ? "\0"u8 : framing == _framings[2] ? "<>"u8 : []);
        }

        return [.. all];
    }

    /// <summary>Broken on purpose: echoes, but forgets the last byte of a piece that ends in the letter q.</summary>
    private sealed class LosesAByte : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            turn.Output.Write(input[^1] == (byte)'q' ? input[..^1] : input);
            return Step.More(input.Length);
        }
    }
}
