namespace Doorbell.Tests;

/// <summary>Who has connected before the listener is closed is served: at the limit too, and if it came during the last accepts.</summary>
[Collection("injects faults")]
public sealed class LastAcceptTests
{
    private const int Waiting = 3;
    private const int Late = 5;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    public static TheoryData<string> All => [.. Models.WithALimit, "iterative", "pool"];

    /// <summary>Under these a lane hears that no more is accepted though another connection is open.</summary>
    public static TheoryData<string> AtOnce => [.. Models.WithALimit];

    [Theory]
    [MemberData(nameof(All))]
    public async Task Who_comes_during_the_last_accepts_is_served_as_those_are_who_wait_for_a_place(string model)
    {
        using Latecomers late = new();
        await using Running running = await Running.StartAsync(
            ClassicServices.Echo, maxConnections: 1, model: model,
            change: static options => options with { AtLimit = AtLimit.LeaveInBacklog });
        using Peer first = running.Connect();
        Assert.Equal("first\n", first.Ask("first\n"));
        List<Peer> peers = [.. Enumerable.Range(0, Waiting).Select(_ => running.Connect())];
        late.ConnectAt(running);
        Task stopped = running.Server.StopAcceptingAsync();
        first.HalfClose();
        Assert.Equal("", first.ReceiveToEnd());
        await stopped.WaitAsync(_patience, TestContext.Current.CancellationToken);
        peers.AddRange(late.Peers);
        peers.ForEach(static peer =>
        {
            peer.Send("hi\n");
            peer.HalfClose();
        });
        peers.ForEach(static peer =>
        {
            Assert.Equal("hi\n", peer.ReceiveToEnd());
            peer.Dispose();
        });
        await running.Server.Completion.WaitAsync(_patience, TestContext.Current.CancellationToken);
        Assert.Equal(1 + peers.Count, running.Counts.Closed(CloseReason.Completed));

        // The model async accepts by System.Net.Sockets, whose calls are not ours to delay.
        Assert.Equal(model == "async" ? Waiting : Waiting + Late, peers.Count);
    }

    [Theory]
    [MemberData(nameof(AtOnce))]
    public async Task Who_has_no_place_when_the_servers_end_comes_is_counted(string model)
    {
        await using Running running = await Running.StartAsync(
            ClassicServices.Echo, maxConnections: 1, model: model,
            change: static options => options with { AtLimit = AtLimit.LeaveInBacklog });
        using Peer first = running.Connect();
        Assert.Equal("first\n", first.Ask("first\n"));
        first.Send("half a line");
        List<Peer> peers = [.. Enumerable.Range(0, Waiting).Select(_ => running.Connect())];
        await running.Server.StopAcceptingAsync().WaitAsync(_patience, TestContext.Current.CancellationToken);
        await running.Server.StopAsync(TimeSpan.Zero).WaitAsync(_patience, TestContext.Current.CancellationToken);
        peers.ForEach(static peer => peer.Dispose());
        LedgerSnapshot counts = running.Counts;
        Assert.Equal(1 + Waiting, counts.ConnectionsOpened + counts.ConnectionsRefused);
        Assert.Equal(0, counts.ConnectionsOpen);
    }

    /// <summary>Before an accept another client connects, a few times.</summary>
    private sealed class Latecomers : SystemCallFaults, IDisposable
    {
        private readonly List<Peer> _peers = [];
        private Running? _server;

        public Peer[] Peers
        {
            get
            {
                lock (_peers)
                {
                    return [.. _peers];
                }
            }
        }

        public void ConnectAt(Running server)
        {
            Volatile.Write(ref _server, server);
            Injected = this;
        }

        public void Dispose() => Injected = null;

        protected override int Before(SystemCall call, ref nint length)
        {
            if (call != SystemCall.Accept || Volatile.Read(ref _server) is not { } server)
            {
                return 0;
            }

            lock (_peers)
            {
                if (_peers.Count < Late)
                {
                    _peers.Add(server.Connect());
                }
            }

            return 0;
        }
    }
}
