using System.Buffers;
using Doorbell.Lanes.Loops;
using Doorbell.Native;

namespace Doorbell.Tests;

/// <summary>io_uring's queues and buffers when they are full: the kernel keeps what has no room, and nothing of it is lost.</summary>
[Collection("injects faults")]
public sealed class RingTests
{
    private const int Operations = 500;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);
    private static readonly RingSizes _tiny = new(
        Submissions: 4, Completions: 8, Buffers: 2, BufferBytes: 32);

    [Fact]
    public void Completions_that_overflow_their_queue_come_later_each_once()
    {
        using IoUring ring = new(4, 8);
        Assert.Equal(Enumerable.Range(0, Operations), Completed(ring));
    }

    [Fact]
    public void A_full_submission_queue_whose_submission_is_interrupted_loses_no_operation()
    {
        using IoUring ring = new(4, 8);
        using SeededFaults faults = new(1, new Fault(SystemCall.Wait, Libc.Interrupted, OneIn: 2));
        faults.Begin();
        Assert.Equal(Enumerable.Range(0, Operations), Completed(ring));
    }

    [Fact]
    public async Task A_lane_with_tiny_queues_and_few_small_buffers_serves_all()
    {
        await using Running server = await StartAsync(Sizes.Service, _tiny);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(client => Task.Run(() =>
        {
            Random random = new(client);
            for (int i = 0; i < 5; i++)
            {
                Assert.True(Sizes.TryVisit(server, random));
            }
        }))).WaitAsync(_patience, TestContext.Current.CancellationToken);
        await server.Server.DrainAsync(_patience).WaitAsync(_patience, TestContext.Current.CancellationToken);
        LedgerSnapshot counts = server.Counts;
        Assert.Equal((80, 80), (counts.ConnectionsOpened, counts.Closed(CloseReason.Completed)));
    }

    [Fact]
    public async Task A_lane_that_is_interrupted_whenever_it_submits_leaves_no_descriptor_open()
    {
        using SeededFaults faults = new(2, new Fault(SystemCall.Wait, Libc.Interrupted, OneIn: 2));
        await using Running server = await StartAsync(Sizes.Service, _tiny);
        faults.Begin();
        Peer[] peers = [.. Enumerable.Range(0, 8).Select(_ => server.Connect())];
        foreach (Peer peer in peers)
        {
            Assert.Equal("ab\n", peer.Ask("0 2\n", answer: 3));
        }

        await server.Server.DrainAsync(_patience).WaitAsync(_patience, TestContext.Current.CancellationToken);
        foreach (Peer peer in peers)
        {
            // As long as the server's descriptor is open there is no end.
            Assert.Equal("", peer.ReceiveToEnd());
            peer.Dispose();
        }
    }

    [Fact]
    public async Task An_end_that_comes_with_the_question_in_one_batch_does_not_cost_the_answer()
    {
        using ManualResetEventSlim go = new();
        using ManualResetEventSlim busy = new();
        Service holds = Service.Lines("holds", (line, answer) =>
        {
            if (line.SequenceEqual("hold"u8))
            {
                busy.Set();
                go.Wait(_patience);
            }

            answer.Write(line);
        });
        await using Running server = await StartAsync(holds, RingSizes.Default);
        Peer[] peers = [.. Enumerable.Range(0, 10).Select(_ => server.Connect())];
        foreach (Peer peer in peers)
        {
            Assert.Equal("open\n", peer.Ask("open\n"));
        }

        peers[0].Send("hold\n");
        Assert.True(busy.Wait(_patience, TestContext.Current.CancellationToken));
        foreach (Peer peer in peers[1..])
        {
            peer.Send("asks\nand ends");
            peer.HalfClose();
        }

        go.Set();
        foreach (Peer peer in peers[1..])
        {
            Assert.Equal("asks\nand ends", peer.ReceiveToEnd());
        }

        Array.ForEach(peers, static peer => peer.Dispose());
    }

    [Fact]
    public async Task A_send_that_the_peer_never_takes_or_resets_spoils_no_other_answer()
    {
        // In a debug build the lane asserts who owns each buffer, and spoils those that come back.
        await using Running server = await StartAsync(Sizes.Service, RingSizes.Default);
        for (int round = 0; round < 20; round++)
        {
            Peer[] deaf = [.. Enumerable.Range(0, 6).Select(_ => server.Connect())];
            Array.ForEach(deaf, static peer => peer.Send("3 6000000\n"));
            Array.ForEach(deaf, static peer => Assert.True(Sizes.TryExpectSome(peer)));
            foreach (Peer peer in deaf)
            {
                peer.Reset();
                Assert.True(Sizes.TryVisit(server, new Random(round)));
            }
        }

        Peer.Eventually(() => server.Counts.ConnectionsOpen == 0, "all are closed");
        using Peer last = server.Connect();
        last.Send("3 6000000\n");
        await server.Server.DrainAsync(TimeSpan.FromMilliseconds(100)).WaitAsync(_patience, TestContext.Current.CancellationToken);
        Assert.Equal(1, server.Counts.Closed(CloseReason.DrainDeadline));
    }

    [Fact]
    public async Task A_kernel_that_knows_no_accept_that_polls_first_is_asked_for_plain_ones()
    {
        using OldKernel kernel = new();
        await using Running server = await StartAsync(ClassicServices.Capitalize, RingSizes.Default);

        // Refused ones are made again, all of them, though no client has come: the ring still accepts.
        Peer.Eventually(() => kernel.Accepts >= 2 * OldKernel.Refused, "all requests are made anew");
        for (int i = 0; i < 100; i++)
        {
            using Peer peer = server.Connect();
            Assert.Equal("A\n", peer.Ask("a\n"));
        }

        Assert.Equal(0, server.Counts.Errors);
    }

    private static Task<Running> StartAsync(Service service, RingSizes sizes) => Running.StartAsync(
        service, model: "loop/io_uring", change: options => options with
        {
            Model = ServerModel.Loop(1),
            MaxConnectionsPerAddress = 1000,
        }, settings: settings => settings with { RingSizes = sizes });

    /// <summary>Submits all, and takes no completion until they are.</summary>
    private static int[] Completed(IoUring ring)
    {
        for (int i = 0; i < Operations; i++)
        {
            ref Submission nothing = ref ring.Next();
            nothing.Operation = Operation.Nothing;
            nothing.UserData = Operation.UserData(Operation.Nothing, i);
        }

        List<int> tokens = [];
        for (int idle = 0; idle < 20 && tokens.Count < Operations; idle++)
        {
            ring.Enter(0, 0);
            while (ring.TryTake(out Completion completion))
            {
                tokens.Add(Operation.TokenOf(completion.UserData));
                idle = 0;
            }
        }

        return [.. tokens];
    }

    /// <summary>As Linux before 6.10: the flag of the first requests, which a lane makes when it begins, is an invalid argument.</summary>
    private sealed class OldKernel : SystemCallFaults, IDisposable
    {
        public const int Refused = 32;

        private int _accepts;

        public OldKernel() => Injected = this;

        public int Accepts => Volatile.Read(ref _accepts);

        public void Dispose() => Injected = null;

        protected override int Before(SystemCall call, ref nint length) =>
            call == SystemCall.Accept && Interlocked.Increment(ref _accepts) <= Refused ? Libc.InvalidArgument : 0;
    }
}
