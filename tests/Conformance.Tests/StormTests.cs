using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>
/// Many peers at once that ask, trickle, half-close, reset and vanish, handlers that park, ring and set alarms, a limit that is always
/// reached, a drain at any moment. What each does is decided by a seed; who is first is not.
/// </summary>
public sealed class StormTests
{
    private const int Clients = 12;
    private const int MaxConnections = 6;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    public static TheoryData<string, string> All
    {
        get
        {
            TheoryData<string, string> all = [];
            foreach (string model in Models.Here)
            {
                all.Add(model, "tcp");
                all.Add(model, "unix");
            }

            return all;
        }
    }

    /// <summary>Another at each run; what fails names it.</summary>
    private static int Seed { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("STORM_SEED"), out int seed) ? seed : Random.Shared.Next();

    [Theory]
    [MemberData(nameof(All))]
    public async Task Every_question_is_answered_and_every_place_comes_back(string model, string transport)
    {
        int limit = model == "iterative" ? 1 : MaxConnections;
        await using Running server = await StartAsync(model, transport, limit);
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => RunAsync(() =>
        {
            Random random = new(Seed + client);
            for (int i = 0; i < 40; i++)
            {
                Visit(server, random);
            }
        }))).WaitAsync(_patience, TestContext.Current.CancellationToken);

        Peer.Eventually(() => server.Counts.ConnectionsOpen == 0, $"all are closed (seed {Seed})");
        Peer[] full = [.. Enumerable.Range(0, limit).Select(_ => server.Connect())];
        foreach (Peer peer in full)
        {
            Assert.Equal("there is room", peer.Ask("there is room"));
        }

        Array.ForEach(full, static peer => peer.Dispose());
        LedgerSnapshot counts = server.Counts;
        Assert.True(counts.AcceptErrors == 0 && counts.Closed(CloseReason.HandlerFault) == 0, $"seed {Seed}");
        Assert.True(counts.Closed(CloseReason.TransportFailed) == 0 && counts.ConnectionsRefused == 0, $"seed {Seed}");
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_drain_at_any_moment_ends_and_leaves_nothing(string model, string transport)
    {
        Random moments = new(Seed);
        for (int round = 0; round < 4; round++)
        {
            await using Running server = await StartAsync(model, transport, model == "iterative" ? 1 : MaxConnections);
            int visits = 0;
            Task clients = Task.WhenAll(Enumerable.Range(0, Clients).Select(client => RunAsync(() =>
            {
                Random random = new(Seed + client);
                try
                {
                    for (int i = 0; i < 100_000; i++)
                    {
                        Visit(server, random, mayEnd: true);
                        Interlocked.Increment(ref visits);
                    }
                }
                catch (SocketException)
                {
                    // The listener is gone.
                }
            })));
            int when = moments.Next(60);
            Peer.Eventually(() => Volatile.Read(ref visits) >= when, $"{when} visits (seed {Seed})");
            TimeSpan deadline = TimeSpan.FromMilliseconds(moments.Next(2) == 0 ? 20_000 : moments.Next(20));
            await server.Server.DrainAsync(deadline).WaitAsync(_patience, TestContext.Current.CancellationToken);
            await clients.WaitAsync(_patience, TestContext.Current.CancellationToken);
            Assert.Equal(0, server.Counts.ConnectionsOpen);
            Assert.Equal(0, server.Counts.Closed(CloseReason.HandlerFault) + server.Counts.Closed(CloseReason.TransportFailed));
        }
    }

    private static Task<Running> StartAsync(string model, string transport, int limit)
    {
        int made = Seed;
        Service storm = new("storm") { NewStreamHandler = _ => new Moody(new Random(Interlocked.Increment(ref made))) };
        return Running.StartAsync(storm, transport, limit, model, options => options with
        {
            // Models with a fixed number of lanes refuse a limit that they never reach.
            MaxConnectionsPerAddress =
                transport == "tcp" && model is not ("iterative" or "pool") ? 1000 : options.MaxConnectionsPerAddress,
        });
    }

    private static Task RunAsync(Action client) => Task.Factory.StartNew(
        client, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static void Visit(Running server, Random random, bool mayEnd = false)
    {
        using Peer peer = server.Connect();
        try
        {
            Visit(peer, random, server.Endpoint.IsUnix);
        }
        catch (Exception end) when (mayEnd && end is SocketException or Xunit.Sdk.XunitException)
        {
            // Reset at the deadline, or closed as idle: the drain's right.
        }
    }

    private static void Visit(Peer peer, Random random, bool unix)
    {
        switch (random.Next(7))
        {
            case 0:
                string all = Text(random, 30_000);
                peer.Send(all);
                peer.HalfClose();
                Assert.Equal(all, peer.ReceiveToEnd());
                break;
            case 1:
                for (int i = random.Next(10); i >= 0; i--)
                {
                    string question = Text(random, 300);
                    Assert.Equal(question, peer.Ask(question));
                }

                break;
            case 2:
                peer.Send(Text(random, 10_000));
                peer.Reset();
                break;
            case 3:
                // It never reads: what can't be sent is lost.
                peer.Socket.Blocking = false;
                peer.Socket.Send(new byte[random.Next(1, 1 << 20)], SocketFlags.None, out _);
                break;
            case 4:
                peer.HalfClose();
                Assert.Equal("", peer.ReceiveToEnd());
                break;
            case 5 when !unix:
                // Two urgent bytes run together would make the first an ordinary one (RFC 6093): one only.
                peer.Send("before");
                peer.Socket.Send("!"u8, SocketFlags.OutOfBand);
                peer.Send("behind");
                Assert.Equal("beforebehind", peer.Receive(12));
                break;
            case 6:
                for (int i = random.Next(20); i >= 0; i--)
                {
                    Assert.Equal("x", peer.Ask("x"));
                }

                peer.HalfClose();
                Assert.Equal("", peer.ReceiveToEnd());
                break;
        }
    }

    private static string Text(Random random, int most)
    {
        Span<char> text = new char[random.Next(1, most)];
        random.GetItems("abcdefghij".AsSpan(), text);
        return new string(text);
    }

    /// <summary>
    /// An echo that takes what it likes, parks when it likes, and comes back by its bell, rung here and elsewhere, or by its alarm.
    /// </summary>
    private sealed class Moody(Random random) : StreamHandler
    {
        private bool _parked;

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            int count = random.Next(4) == 0 ? random.Next(1, input.Length + 1) : input.Length;
            turn.Output.Write(input[..count]);
            switch (random.Next(6))
            {
                case 0:
                    Bell bell = turn.Bell;
                    ThreadPool.QueueUserWorkItem(_ => bell.Ring());
                    bell.Ring();
                    _parked = true;
                    return Step.Park(count);
                case 1:
                    Bell late = turn.Bell;
                    ThreadPool.QueueUserWorkItem(_ => late.Ring());
                    _parked = true;
                    return Step.Park(count);
                case 2:
                    turn.Alarm = turn.Now + TimeSpan.FromMilliseconds(random.Next(3));
                    _parked = true;
                    return Step.Park(count);
                default:
                    return Step.More(count);
            }
        }

        public override Next OnRing(Turn turn) => Unpark();

        public override Next OnAlarm(Turn turn) => Unpark();

        private Next Unpark()
        {
            Next next = _parked ? Next.More : Next.Stay;
            _parked = false;
            return next;
        }
    }
}
