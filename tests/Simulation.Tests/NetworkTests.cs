using Doorbell.Links;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>What the simulated network promises to whoever runs scenarios on it.</summary>
public sealed class NetworkTests
{
    private static readonly Service _both = ClassicServices.CapitalizeAscii;

    [Fact]
    public void The_same_seed_replays_a_run_of_streams_datagrams_and_partitions_exactly()
    {
        Simulation.RunSeeds(20, static network =>
        {
            ulong seed = network.Seed;
            ulong[] traces = [Crowd(network), Crowd(new SimulatedNetwork(seed)), Crowd(new SimulatedNetwork(seed + 1))];
            Assert.Equal(traces[0], traces[1]);
            Assert.NotEqual(traces[0], traces[2]);
        });
    }

    [Fact]
    public void A_guest_list_that_forgets_resets_is_found_within_5_seeds_and_its_seed_finds_it_again()
    {
        static void Broken(SimulatedNetwork network) => Visit(network, new GuestList { ForgetsResets = true });
        static void Sound(SimulatedNetwork network) => Visit(network, new GuestList());
        SimulationFailedException found = Assert.Throws<SimulationFailedException>(static () =>
        {
            for (ulong seed = 0; seed < 5; seed++)
            {
                Simulation.Run(seed, Broken);
            }
        });
        Assert.Equal(found.Message, Assert.Throws<SimulationFailedException>(() => Simulation.Run(found.Seed, Broken)).Message);
        Simulation.RunSeeds(50, Sound);
    }

    [Fact]
    public void What_happens_first_is_what_is_due_first_and_of_that_what_was_said_first()
    {
        SimulatedNetwork network = new(41);
        List<(int Wait, int Number)> said = [];
        List<(int Wait, int Number)> happened = [];
        for (int i = 0; i < 10_000; i++)
        {
            (int, int) what = (network.Random.Next(1000), i);
            said.Add(what);
            network.After(TimeSpan.FromMilliseconds(what.Item1), () =>
            {
                Assert.Equal(TimeSpan.FromMilliseconds(what.Item1), network.Now);
                happened.Add(what);
            });
        }

        network.Run(TimeSpan.FromMilliseconds(500));
        Assert.Equal(said.Count(static what => what.Wait <= 500), happened.Count);
        network.RunUntilIdle();
        Assert.Equal(said.Order(), happened);
    }

    [Fact]
    public void A_run_that_never_settles_fails()
    {
        SimulatedNetwork network = new(42);
        void Again() => network.After(TimeSpan.FromSeconds(1), Again);
        Again();
        Assert.Throws<InvalidOperationException>(() => network.RunUntilIdle(1_000));

        void Stuck() => network.After(TimeSpan.Zero, Stuck);
        Stuck();
        Assert.Throws<InvalidOperationException>(() => network.Run(TimeSpan.FromHours(1)));
    }

    [Fact]
    public void A_million_pending_events_are_the_bound()
    {
        SimulatedNetwork network = new(43);
        for (int i = 0; i < 1_000_000; i++)
        {
            network.After(TimeSpan.FromSeconds(1), static () => { });
        }

        Assert.Throws<InvalidOperationException>(() => network.After(TimeSpan.Zero, static () => { }));
    }

    [Fact]
    public void The_page_s_example_passes() => Simulation.RunSeeds(200, static network =>
    {
        network.DefaultLink = new LinkOptions { Loss = 0.3, Duplicate = 0.1, Reorder = 0.1, Delay = TimeSpan.FromMilliseconds(20) };
        SimulatedHost server = network.Host("server");
        SimulatedHost client = network.Host("client");

        // The page leaves the limits out: of many seeds one may take longer than a minute for its first byte.
        StreamLimits patient = StreamLimits.Default with { FirstByteTimeout = Timeout.InfiniteTimeSpan };
        SimulatedListener listener = network.ListenStream(server.At(7000), ClassicServices.CapitalizeAscii with { StreamLimits = patient });
        SimulatedClient visit = network.ConnectStream(client.At(50_000), server.At(7000));
        network.After(TimeSpan.FromMilliseconds(100), () => network.Partition(client, server));
        network.After(TimeSpan.FromSeconds(5), () => network.Heal(client, server));
        visit.Send("hello\n"u8);
        visit.End();
        network.RunUntilIdle();
        Assert.True(visit.Failure != ConnectionFailure.None || visit.Received.SequenceEqual("HELLO\n"u8));
        Assert.Null(listener.Fault);
        Assert.Equal(0, listener.RentedBytes);
    });

    [Fact]
    public void A_name_and_an_address_are_one_host()
    {
        SimulatedNetwork network = new(44);
        SimulatedHost first = network.Host("first");
        SimulatedHost given = network.Host(PeerAddress.IPv4(0x0a000002, 7000));
        SimulatedHost second = network.Host("second");
        Assert.Equal("10.0.0.1:80", first.At(80).ToString());
        Assert.Equal("10.0.0.2", given.Name);
        Assert.Equal("10.0.0.3:80", second.At(80).ToString());
        Assert.Same(given, network.Host("10.0.0.2"));
        Assert.Same(first, network.Host(first.At(1)));
        Assert.Same(network.Link(first, second), network.Link(first, second));
        Assert.NotSame(network.Link(first, second), network.Link(second, first));
        Assert.Throws<ArgumentException>(() => network.Host(default(PeerAddress)));
    }

    /// <summary>Ten hosts that talk over streams and datagrams while links get worse, and hosts are parted and brought together.</summary>
    private static ulong Crowd(SimulatedNetwork network)
    {
        Random random = network.Random;
        network.DefaultLink = LinkProfiles.LossyWan.Up;
        SimulatedHost server = network.Host("server");
        network.ListenStream(server.At(7000), _both, new SimulatedServerOptions
        {
            MaxConnections = 3, AtLimit = AtLimit.LeaveInBacklog, ListenBacklog = 2,
        });
        network.BindDatagram(server.At(7000), _both);
        for (int i = 0; i < 10; i++)
        {
            SimulatedHost host = network.Host($"client {i}");
            SimulatedClient client = network.ConnectStream(host.At(1), server.At(7000));
            SimulatedDatagramSocket socket = network.BindDatagram(host.At(1), static (_, _, _) => { });
            client.Send("a line\nand another\n"u8);
            client.ResetAfterReceiving(random.Next(30));
            socket.AlarmDue = () =>
            {
                socket.Send(server.At(7000), "a datagram"u8);
                socket.Alarm = network.Now < TimeSpan.FromSeconds(5) ? network.Now + TimeSpan.FromMilliseconds(random.Next(200)) : null;
            };
            socket.Alarm = TimeSpan.Zero;
            network.After(TimeSpan.FromMilliseconds(random.Next(1000)), () => network.Partition(host, server));
            network.After(TimeSpan.FromMilliseconds(1000 + random.Next(1000)), () => network.Heal(host, server));
        }

        network.RunUntilIdle();
        return network.TraceHash;
    }

    private static void Visit(SimulatedNetwork network, GuestList list)
    {
        SimulatedHost server = network.Host("server");
        network.ListenStream(server.At(7000), new Service("guests") { NewStreamHandler = _ => new Guest(list) });
        for (int i = 0; i < 10; i++)
        {
            SimulatedClient client = network.ConnectStream(network.Host($"guest {i}").At(1), server.At(7000));
            client.Send("hello"u8);
            network.After(TimeSpan.FromSeconds(network.Random.Next(10)), network.Random.Next(4) == 0 ? client.Reset : client.End);
        }

        network.RunUntilIdle();
        Assert.Equal(0, list.Guests);
    }

    private sealed class GuestList
    {
        public int Guests { get; set; }

        public bool ForgetsResets { get; init; }
    }

    private sealed class Guest(GuestList list) : StreamHandler
    {
        public override Next OnOpen(Turn turn)
        {
            list.Guests++;
            return Next.Stay;
        }

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => Step.More(input.Length);

        public override void OnClosed(CloseReason reason) => list.Guests -= list.ForgetsResets && reason == CloseReason.PeerReset ? 0 : 1;
    }
}
