using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>
/// Receives that bring less than there is, on TCP. A lane under epoll's edges takes a short receive for the end of what there is, and with
/// one exception it is: <c>tcp_recvmsg_locked()</c> in net/ipv4/tcp.c copies from the queue till the buffer is full or the queue empty,
/// and looks at signals only then; what comes later is another edge, a FIN too. The exception is urgent data (tcp(7)): a receive
/// stops at its mark, and EPOLLPRI tells of it. So that is what is done here, and what is injected is injected behind it.
/// </summary>
[Collection("injects faults")]
public sealed class ShortReceiveTests
{
    private const int Peers = 8;
    private const int Rounds = 10;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    /// <summary>Another at each run; what fails names it.</summary>
    private static int Seed { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("STORM_SEED"), out int seed) ? seed : Random.Shared.Next();

    [Theory]
    [InlineData("loop/epoll")]
    [InlineData("loop/io_uring")]
    public async Task What_lies_behind_a_mark_is_received_though_all_of_it_came_at_once(string model)
    {
        using Held held = new();
        await using Running server = await held.StartAsync(model);
        Random random = new(Seed);
        for (int round = 0; round < Rounds; round++)
        {
            Peer[] peers = [.. Enumerable.Range(0, Peers).Select(_ => server.Connect())];
            (int Start, int Size)[][] questions = held.AskAroundAMark(server, peers, random);
            Expect(peers, questions);
            Array.ForEach(peers, End);
        }

        Peer.Eventually(() => server.Counts.Closed(CloseReason.Completed) == Rounds * (Peers + 1), $"all end in order (seed {Seed})");
    }

    [Fact]
    public async Task Behind_a_mark_receives_may_stop_anywhere()
    {
        using Held held = new();
        await using Running server = await held.StartAsync("loop/epoll");
        Random random = new(Seed);
        Peer[] peers = [.. Enumerable.Range(0, Peers).Select(_ => server.Connect())];
        Expect(peers, held.AskAroundAMark(server, peers, random));

        // Each has been told of its mark: there may be more of them.
        using SeededFaults faults = new(Seed, new Fault(SystemCall.Receive, Errno: 0, OneIn: 2));
        faults.Begin();
        for (int round = 0; round < Rounds; round++)
        {
            (int Start, int Size)[][] questions = [.. peers.Select(_ => Questions(random))];
            for (int i = 0; i < Peers; i++)
            {
                peers[i].Send(Text(questions[i]));
            }

            Expect(peers, questions);
        }

        SeededFaults.End();
        Assert.True(faults.Done > 0, $"nothing was short (seed {Seed})");
        Array.ForEach(peers, End);
        Peer.Eventually(() => server.Counts.Closed(CloseReason.Completed) == Peers + 1, $"all end in order (seed {Seed})");
    }

    private static (int Start, int Size)[] Questions(Random random) =>
        [.. Enumerable.Range(0, random.Next(1, 20)).Select(_ => Sizes.Question(random))];

    private static string Text((int Start, int Size)[] questions) => string.Concat(questions.Select(Sizes.Line));

    private static void Expect(Peer[] peers, (int Start, int Size)[][] questions)
    {
        for (int i = 0; i < peers.Length; i++)
        {
            Array.ForEach(questions[i], question => Assert.True(Sizes.TryExpect(peers[i], question.Start, question.Size)));
        }
    }

    private static void End(Peer peer)
    {
        peer.HalfClose();
        Assert.Equal("", peer.ReceiveToEnd());
        peer.Dispose();
    }

    /// <summary>A lane that can be kept in its handler, so that all that peers send meanwhile is there when it looks.</summary>
    private sealed class Held : IDisposable
    {
        private readonly SemaphoreSlim _isHeld = new(0);
        private readonly SemaphoreSlim _goesOn = new(0);

        public Task<Running> StartAsync(string model)
        {
            Service service = Service.Lines("held", (line, answer) =>
            {
                if (line.SequenceEqual("hold"u8))
                {
                    _isHeld.Release();
                    _goesOn.Wait(_patience);
                    return;
                }

                Sizes.Answer(line, answer);
            });
            return Running.StartAsync(service, model: model, change: static options => options with
            {
                Model = ServerModel.Loop(1),
                MaxConnectionsPerAddress = 1000,
            });
        }

        /// <summary>Each peer asks, with an urgent byte somewhere between.</summary>
        /// <returns>What each has asked.</returns>
        public (int Start, int Size)[][] AskAroundAMark(Running server, Peer[] peers, Random random)
        {
            Array.ForEach(peers, static peer => Assert.Equal("abc\n", peer.Ask("0 3\n", answer: 4)));
            using Peer holder = server.Connect();
            holder.Send("hold\n");
            Assert.True(_isHeld.Wait(_patience, TestContext.Current.CancellationToken));
            (int Start, int Size)[][] questions = [.. peers.Select(_ => Questions(random))];
            for (int i = 0; i < peers.Length; i++)
            {
                string text = Text(questions[i]);
                int mark = random.Next(1, text.Length);
                peers[i].Send(text[..mark]);
                peers[i].Socket.Send("!"u8, SocketFlags.OutOfBand);
                peers[i].Send(text[mark..]);
            }

            _goesOn.Release();
            Assert.Equal("\n", holder.Receive(1));
            End(holder);
            return questions;
        }

        public void Dispose()
        {
            _isHeld.Dispose();
            _goesOn.Dispose();
        }
    }
}
