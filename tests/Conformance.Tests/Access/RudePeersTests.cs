using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>Peers that hold their connections and do nothing useful with them keep nobody out, by the defaults alone.</summary>
public sealed class RudePeersTests
{
    private const int Places = 20;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    /// <summary>What rude peers do.</summary>
    public enum Rudeness
    {
        Silent,
        ByteAtATime,
        EmptyLines,
        HalfALine,
        NeverReads,
    }

    public static TheoryData<string> Many => Models.Only(Models.Many);

    public static TheoryData<string, Rudeness> Each
    {
        get
        {
            TheoryData<string, Rudeness> all = [];
            foreach (string model in Models.Many)
            {
                foreach (Rudeness rudeness in Enum.GetValues<Rudeness>())
                {
                    all.Add(model, rudeness);
                }
            }

            return all;
        }
    }

    /// <summary>Another at each run; what fails names it.</summary>
    private static int Seed { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("RUDE_SEED"), out int seed) ? seed : Random.Shared.Next();

    [Theory]
    [MemberData(nameof(Each))]
    public async Task Newcomers_are_answered_where_rude_peers_have_every_place(string model, Rudeness rudeness)
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, maxConnections: Places, model: model);
        using RudePeers rude = new(server, [.. Enumerable.Repeat(rudeness, Places)]);
        Peer.Eventually(() => server.Counts.ConnectionsOpen == Places, "they have every place");
        for (int i = 0; i < 5; i++)
        {
            using Peer newcomer = server.Connect();
            Assert.Equal("HELLO\n", newcomer.Ask("hello\n"));
        }

        Assert.InRange(server.Counts.Closed(CloseReason.MadeRoom), 1, Places);
        Assert.Equal(0, server.Counts.ConnectionsRefused);
    }

    [Theory]
    [MemberData(nameof(Many))]
    public async Task Who_is_asked_and_answered_again_and_again_keeps_its_place(string model)
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, maxConnections: Places, model: model);
        using CancellationTokenSource over = new();
        const string Line = "a request that has something in it, as the requests of most protocols have\n";
        Task[] honest = [.. Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(
            () =>
            {
                using Peer peer = server.Connect();
                while (!over.IsCancellationRequested)
                {
                    Assert.Equal(Line.ToUpperInvariant(), peer.Ask(Line));
                }
            },
            TaskCreationOptions.LongRunning))];
        Random random = new(Seed);
        List<Peer> rude = [];
        byte[] lines = Encoding.UTF8.GetBytes(new string('x', 16 * 1024) + "\n");
        Peer.Eventually(
            () =>
            {
                // Each waits until another of them has made room for it.
                rude.Add(server.Connect());
                Act(rude[^1], (Rudeness)random.Next(5), lines);
                Peer.Eventually(() => rude.Count < Places || server.Counts.ConnectionsOpened >= rude.Count + 2, "it has come in");
                return server.Counts.Closed(CloseReason.MadeRoom) >= Places;
            },
            $"many have made room (seed {Seed})");
        await over.CancelAsync();
        rude.ForEach(static peer => peer.Dispose());
        await Task.WhenAll(honest).WaitAsync(_patience, TestContext.Current.CancellationToken);
    }

    [Theory]
    [MemberData(nameof(Many))]
    public async Task Rude_peers_of_every_kind_that_come_back_keep_nobody_out(string model)
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, maxConnections: Places, model: model);
        Random random = new(Seed);
        using RudePeers rude = new(server, [.. Enumerable.Range(0, 3 * Places).Select(_ => (Rudeness)random.Next(5))]) { ComeBack = true };
        Peer.Eventually(() => server.Counts.ConnectionsOpen == Places, "they have every place");
        for (int i = 0; i < 10; i++)
        {
            using Peer newcomer = server.Connect();
            string line = $"newcomer {i}, seed {Seed}\n";
            Assert.Equal(line.ToUpperInvariant(), newcomer.Ask(line));
        }
    }

    [Theory]
    [MemberData(nameof(Many))]
    public async Task At_a_full_door_one_of_that_door_makes_room(string model)
    {
        await using Running server = await Running.StartAsync(
            ClassicServices.Capitalize,
            model: model,
            change: static options => options with
            {
                Endpoints = [],
                Doors =
                [
                    new DoorOptions { Endpoint = options.Endpoints[0], Service = options.Service!, Limits = new() { MaxConnections = 2 } },
                    new DoorOptions { Endpoint = options.Endpoints[0], Service = ClassicServices.Echo },
                ],
            });
        using Peer elsewhere = new(server.Server.Doors[1].Endpoint);
        Peer.Eventually(() => server.Counts.ConnectionsOpen == 1, "the other door's is the longest at rest");
        using Peer first = server.Connect();
        using Peer second = server.Connect();
        using Peer newcomer = server.Connect();
        Assert.Equal("HELLO\n", newcomer.Ask("hello\n"));
        Assert.Equal(1, server.Counts.Closed(CloseReason.MadeRoom));
        Assert.Equal("still here\n", elsewhere.Ask("still here\n"));
    }

    [Fact]
    public async Task A_handler_that_does_not_return_keeps_nobody_out_and_its_connection()
    {
        using ManualResetEventSlim mayReturn = new();
        Service service = new("stuck") { NewStreamHandler = _ => new Stuck(mayReturn) };
        await using Running server = await Running.StartAsync(service, maxConnections: 2, model: "thread");
        using Peer stuck = server.Connect();
        stuck.Send("wait\n");
        Peer.Eventually(() => server.Counts.ConnectionsOpen == 1, "it is the longest at rest");
        using Peer other = server.Connect();
        Peer.Eventually(() => server.Counts.ConnectionsOpen == 2, "both are in");
        using Peer newcomer = server.Connect();
        Assert.Equal("hello\n", newcomer.Ask("hello\n"));
        mayReturn.Set();
        Assert.Equal("wait\n", stuck.Receive(5));
        Assert.Equal(1, server.Counts.Closed(CloseReason.MadeRoom));
    }

    [Theory]
    [MemberData(nameof(Many))]
    public async Task Nobody_makes_room_for_one_that_is_refused_all_the_same(string model)
    {
        await using Running server = await Running.StartAsync(
            ClassicServices.Capitalize,
            maxConnections: 2,
            model: model,
            change: static options => options with { MaxConnectionsPerAddress = 2, RefusalLine = "too many" });
        using Peer first = server.Connect();
        using Peer second = server.Connect();
        Peer.Eventually(() => server.Counts.ConnectionsOpen == 2, "both are in");
        using Peer third = server.Connect();
        Assert.Equal("too many\n", third.ReceiveToEnd());
        Assert.Equal("A\n", first.Ask("a\n"));
        Assert.Equal("B\n", second.Ask("b\n"));
        Assert.Equal(0, server.Counts.Closed(CloseReason.MadeRoom));
    }

    /// <summary>Does what a rude peer does now and then; false if the server has closed it.</summary>
    private static bool Act(Peer peer, Rudeness rudeness, byte[] line)
    {
        try
        {
            peer.Socket.Blocking = false;
            switch (rudeness)
            {
                case Rudeness.ByteAtATime:
                    peer.Send("x");
                    break;
                case Rudeness.EmptyLines:
                    peer.Send("\n");
                    break;
                case Rudeness.HalfALine when line.Length > 0:
                    peer.Send("half a li");
                    break;
                case Rudeness.NeverReads:
                    while (true)
                    {
                        peer.Socket.Send(line);
                    }
            }

            return !peer.Socket.Poll(0, SelectMode.SelectRead) || peer.Socket.Receive(new byte[1]) > 0;
        }
        catch (SocketException full) when (full.SocketErrorCode == SocketError.WouldBlock)
        {
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private sealed class Stuck(ManualResetEventSlim mayReturn) : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> bytes, Turn turn)
        {
            if (bytes.StartsWith("wait"u8))
            {
                mayReturn.Wait(_patience);
            }

            turn.Output.Write(bytes);
            return Step.More(bytes.Length);
        }
    }

    /// <summary>Peers that go on being rude in a thread of their own. Those that are closed stay away, unless they come back.</summary>
    private sealed class RudePeers : IDisposable
    {
        private static readonly TimeSpan _now = TimeSpan.FromMilliseconds(200);
        private readonly Running _server;
        private readonly Rudeness[] _kinds;
        private readonly ManualResetEventSlim _over = new();
        private readonly Thread _thread;

        public RudePeers(Running server, Rudeness[] kinds)
        {
            _server = server;
            _kinds = kinds;
            _thread = new Thread(Run) { IsBackground = true };
            _thread.Start();
        }

        public bool ComeBack { get; init; }

        public void Dispose()
        {
            _over.Set();
            _thread.Join();
            _over.Dispose();
        }

        private void Run()
        {
            byte[] lines = new byte[16 * 1024];
            lines.AsSpan().Fill((byte)'x');
            lines[^1] = (byte)'\n';
            Peer?[] peers = [.. _kinds.Select(_ => _server.Connect())];
            bool[] began = new bool[peers.Length];
            do
            {
                for (int i = 0; i < peers.Length; i++)
                {
                    byte[] line = _kinds[i] == Rudeness.HalfALine && began[i] ? [] : lines;
                    began[i] = true;
                    if (peers[i] is { } peer && !Act(peer, _kinds[i], line))
                    {
                        peer.Dispose();
                        peers[i] = ComeBack && !_over.IsSet ? _server.Connect() : null;
                        began[i] = false;
                    }
                }
            }
            while (!_over.Wait(_now));
            Array.ForEach(peers, static peer => peer?.Dispose());
        }
    }
}
