using System.Net.Sockets;
using Doorbell.Native;
using Doorbell.SocketOptions;

namespace Doorbell.Tests;

/// <summary>These stand between every engine of the process and the kernel: nothing else may run meanwhile.</summary>
[CollectionDefinition("injects faults", DisableParallelization = true)]
public sealed class InjectsFaults;

/// <summary>
/// System calls fail and do half of what they were asked, as a seed has it, under clients that ask several lines at once, in pieces,
/// with small and large answers. Whatever fails: no answer is wrong, lost, doubled or waited for in vain.
/// </summary>
[Collection("injects faults")]
public sealed class FaultTests
{
    private const int Clients = 4;
    private const int VisitsOfEach = 12;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private static readonly string[] _models = ["iterative", "thread", "pool", "loop/epoll", "loop/io_uring"];

    public static TheoryData<string> Engines => [.. _models];

    /// <summary>They cost nobody anything.</summary>
    public static TheoryData<string, string, string, int> Harmless
    {
        get
        {
            TheoryData<string, string, string, int> all = [];
            foreach (string model in _models)
            {
                Add(all, model, SystemCall.Accept, Libc.Interrupted, Libc.TryAgain, Libc.ConnectionAborted, TooManyOpen, Libc.NoBuffers);
                Add(all, model, SystemCall.Receive, Libc.Interrupted);
                Add(all, model, SystemCall.Send, Libc.Interrupted);
                Add(all, model, SystemCall.Wait, Libc.Interrupted);

                // Over unix, where a lane under epoll's edges believes no short receive. On TCP it does (Q9 of epoll(7)), and rightly:
                // tcp_recvmsg_locked() walks the whole queue before it looks at signals, so that a receive that does not wait stops
                // short at the queue's end, at a FIN, or at an urgent mark alone, and each of these is an event
                // (ShortReceiveTests). (Sends that are short on TCP come from the small send buffer.)
                all.Add(model, "unix", nameof(SystemCall.Send), 0);
                if (model == "loop/io_uring")
                {
                    Add(all, model, SystemCall.Receive, Libc.NoBuffers);
                }
                else
                {
                    all.Add(model, "unix", nameof(SystemCall.Receive), 0);
                }

                // For the same reason not under epoll's edges: there EAGAIN is a promise of the kernel to call.
                if (model != "loop/epoll")
                {
                    Add(all, model, SystemCall.Receive, Libc.TryAgain);
                    Add(all, model, SystemCall.Send, Libc.TryAgain, 0);
                }

                // poll(2) tells a blocking lane of what is left.
                if (!model.StartsWith("loop", StringComparison.Ordinal))
                {
                    Add(all, model, SystemCall.Receive, 0);
                }
            }

            return all;
        }
    }

    /// <summary>They cost the connections whose calls they fail.</summary>
    public static TheoryData<string, string, string, int> Costly
    {
        get
        {
            TheoryData<string, string, string, int> all = [];
            foreach (string model in _models)
            {
                Add(all, model, SystemCall.Receive, Libc.ConnectionReset);
                Add(all, model, SystemCall.Send, Libc.ConnectionReset, Libc.BrokenPipe, Libc.NoBuffers);
                if (model != "loop/io_uring")
                {
                    Add(all, model, SystemCall.Receive, Libc.NoBuffers);
                }
            }

            Add(all, "loop/epoll", SystemCall.Watch, Libc.OutOfMemory);
            return all;
        }
    }

    /// <summary>EMFILE.</summary>
    private static int TooManyOpen => 24;

    /// <summary>Another at each run; what fails names it.</summary>
    private static int Seed { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("STORM_SEED"), out int seed) ? seed : Random.Shared.Next();

    [Theory]
    [MemberData(nameof(Harmless))]
    public async Task A_call_that_fails_in_passing_costs_nobody_an_answer(string model, string transport, string call, int errno)
    {
        using SeededFaults faults = new(Seed, new Fault(Enum.Parse<SystemCall>(call), errno, OneIn: 4));
        await using Running server = await StartAsync(model, transport, faults, fromTheStart: call is "Accept" or "Wait");
        (int visits, int broken) = await StormAsync(server, faults, knocks: call == "Accept" && errno == Libc.TryAgain);
        Assert.True(faults.Done > 0, $"nothing failed (seed {Seed})");
        Assert.True(broken == 0, $"{broken} of {visits} were not served (seed {Seed})");
        await AssertSoundAsync(server, call == "Accept" ? visits + Knocked(server, visits) : visits, costs: 0);
    }

    [Theory]
    [MemberData(nameof(Costly))]
    public async Task A_call_that_fails_for_good_costs_its_own_connection_which_is_reset_and_counted(
        string model, string transport, string call, int errno)
    {
        using SeededFaults faults = new(Seed, new Fault(Enum.Parse<SystemCall>(call), errno, OneIn: 4));
        await using Running server = await StartAsync(model, transport, faults);
        (int visits, int broken) = await StormAsync(server, faults);
        Assert.True(faults.Done > 0, $"nothing failed (seed {Seed})");
        Assert.True(broken <= faults.Done, $"{faults.Done} failed, and {broken} were not served (seed {Seed})");
        await AssertSoundAsync(server, visits, costs: faults.Done, atLeast: broken);
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task A_half_close_that_a_signal_interrupts_is_made_again(string model)
    {
        using SeededFaults faults = new(Seed, new Fault(SystemCall.Shutdown, Libc.Interrupted, OneIn: 2));
        await using Running server = await Running.StartAsync(ClassicServices.Daytime, model: model);
        faults.Begin();
        for (int i = 0; i < VisitsOfEach; i++)
        {
            using Peer peer = server.Connect();
            Assert.EndsWith("-UTC\r\n", peer.ReceiveToEnd(), StringComparison.Ordinal);
        }

        Peer.Eventually(() => server.Counts.Closed(CloseReason.Completed) == VisitsOfEach, $"all ended in order (seed {Seed})");
    }

    [Theory]
    [MemberData(nameof(Engines))]
    public async Task A_half_close_that_fails_resets_its_connection(string model)
    {
        using SeededFaults faults = new(Seed, new Fault(SystemCall.Shutdown, Libc.NotConnected, OneIn: 1));
        await using Running server = await Running.StartAsync(ClassicServices.Daytime, model: model);
        faults.Begin();
        for (int i = 0; i < VisitsOfEach; i++)
        {
            using Peer peer = server.Connect();
            Assert.True(Sizes.IsReset(Assert.Throws<SocketException>(() => peer.ReceiveToEnd())));
        }

        Peer.Eventually(() => server.Counts.Closed(CloseReason.PeerReset) == VisitsOfEach, $"all are counted (seed {Seed})");
    }

    [Theory]
    [InlineData("loop/epoll")]
    [InlineData("loop/io_uring")]
    public async Task A_system_without_memory_does_not_keep_a_server_from_ending(string model)
    {
        using SeededFaults faults = new(Seed, new Fault(SystemCall.Watch, Libc.OutOfMemory, OneIn: 1));
        await using Running server = await Running.StartAsync(Sizes.Service, model: model);
        using Peer peer = server.Connect();
        peer.Send("0 3\n1");
        Assert.Equal("abc\n", peer.Receive(4));
        faults.Begin();
        await server.Server.DrainAsync(TimeSpan.FromMilliseconds(50)).WaitAsync(_patience, TestContext.Current.CancellationToken);
        Assert.Equal(1, server.Counts.Closed(CloseReason.DrainDeadline));
    }

    [Fact]
    public async Task A_ring_that_can_neither_accept_nor_have_its_listeners_watched_goes_on_accepting()
    {
        using NoAcceptNoWatch faults = new();
        SystemCallFaults.Injected = faults;
        await using Running server = await Running.StartAsync(
            Sizes.Service, model: "loop/io_uring", change: static options => options with { Model = ServerModel.Loop(1) });
        using Peer unheard = server.Connect();
        unheard.Send("0 3\n1");
        Assert.Equal("abc\n", unheard.Receive(4));
        Peer.Eventually(() => faults.Watches > 2, "the system is asked again");
        SystemCallFaults.Injected = null;
        for (int i = 0; i < VisitsOfEach; i++)
        {
            using Peer peer = server.Connect();
            peer.Send("0 3\n1");
            Assert.Equal("abc\n", peer.Receive(4));
        }
    }

    private static void Add(TheoryData<string, string, string, int> all, string model, SystemCall call, params int[] failures)
    {
        foreach (int errno in failures)
        {
            all.Add(model, "tcp", call.ToString(), errno);
        }
    }

    private static Task<Running> StartAsync(string model, string transport, SeededFaults faults, bool fromTheStart = false)
    {
        if (fromTheStart)
        {
            faults.Begin();
        }

        return Running.StartAsync(
            Sizes.Service, transport, model: model, change: options => options with
            {
                // Models with a fixed number of lanes refuse a limit that they never reach.
                MaxConnectionsPerAddress =
                    transport == "tcp" && model is not ("iterative" or "pool") ? 1000 : options.MaxConnectionsPerAddress,
                SocketOptions = transport == "tcp" ? [SocketOptionSetting.Parse("SO_SNDBUF=16K")] : [],
            });
    }

    /// <summary>How many asked, and how many of them were cut short.</summary>
    private static async Task<(int Visits, int Broken)> StormAsync(Running server, SeededFaults faults, bool knocks = false)
    {
        int broken = 0;
        int visits = Clients * VisitsOfEach;
        faults.Begin();
        Task clients = Task.WhenAll(Enumerable.Range(0, Clients).Select(client => RunAsync(() =>
        {
            Random random = new(Seed + client);
            for (int i = 0; i < VisitsOfEach; i++)
            {
                if (!Sizes.TryVisit(server, random))
                {
                    Interlocked.Increment(ref broken);
                }
            }
        })));
        visits += await WatchAsync(clients, server, knocks);
        await clients.WaitAsync(_patience, TestContext.Current.CancellationToken);
        SeededFaults.End();
        return (visits, broken);
    }

    /// <summary>
    /// A lane that is told "no more to accept" though there is waits for the next connection: there always is a next one.
    /// </summary>
    private static async Task<int> WatchAsync(Task clients, Running server, bool knocks)
    {
        int knocked = 0;
        while (knocks && await Task.WhenAny(clients, Task.Delay(10)) != clients)
        {
            server.Connect().Dispose();
            knocked++;
        }

        return knocked;
    }

    private static Task RunAsync(Action client) => Task.Factory.StartNew(
        client, TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>
    /// How many more came until all were heard. Each loop has a listener of its own, and one that was told "no more" hears of what it
    /// has by its next connection, which the kernel gives to either.
    /// </summary>
    private static int Knocked(Running server, int visits)
    {
        int knocked = 0;
        DateTime deadline = DateTime.UtcNow + _patience;
        while (server.Counts.ConnectionsOpened < visits + knocked)
        {
            Assert.True(DateTime.UtcNow < deadline, $"of {visits + knocked} {server.Counts.ConnectionsOpened} were opened (seed {Seed})");
            Assert.True(Sizes.TryVisit(server, new Random(Seed)), $"nobody is served afterwards (seed {Seed})");
            knocked++;
        }

        return knocked;
    }

    /// <summary>It serves as if nothing had been, has counted everybody, and ends.</summary>
    private static async Task AssertSoundAsync(Running server, int visits, int costs, int atLeast = 0)
    {
        Assert.True(Sizes.TryVisit(server, new Random(Seed)), $"nobody is served afterwards (seed {Seed})");
        Peer.Eventually(() => server.Counts.ConnectionsOpened == visits + 1, $"all {visits + 1} were opened (seed {Seed})");
        Peer.Eventually(() => server.Counts.ConnectionsOpen == 0, $"all are closed (seed {Seed})");
        LedgerSnapshot counts = server.Counts;
        long lost = counts.Closed(CloseReason.PeerReset) + counts.Closed(CloseReason.TransportFailed);
        Assert.True(lost <= costs && lost >= atLeast, $"{lost} connections were counted as lost, not {atLeast} to {costs} (seed {Seed})");
        Assert.Equal(counts.ConnectionsOpened, lost + counts.Closed(CloseReason.Completed));
        await server.Server.DrainAsync(_patience).WaitAsync(_patience, TestContext.Current.CancellationToken);
    }
}
