using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>What a handler may ask of its connection's transport, under every model that serves in this process.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class TransportStateTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    public static TheoryData<string> Here => [.. Models.Here];

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_handler_at_work_can_ask_whether_its_peer_has_reset_the_connection(string model)
    {
        // Within one call: after it the lane ends the connection by itself.
        Looks handler = new(static state => state.IsClosed) { StaysInTheCall = true };
        await using Running server = await Running.StartAsync(ServiceOf(handler), model: model);
        using Socket client = Connect(server);
        Assert.Equal(new TransportState(IsClosed: false, IsDelivered: true), await handler.First.WaitAsync(_patience, Cancellation));
        client.LingerState = new LingerOption(enable: true, seconds: 0);
        client.Close();
        await handler.Seen.WaitAsync(_patience, Cancellation);
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task What_the_peer_has_no_room_for_is_not_delivered_until_it_reads(string model)
    {
        Looks handler = new(static state => state.IsDelivered) { Writes = 8_000_000 };
        await using Running server = await Running.StartAsync(ServiceOf(handler), model: model);
        using Socket client = Connect(server);
        Assert.False((await handler.First.WaitAsync(_patience, Cancellation)).IsDelivered);
        Assert.False(handler.Seen.IsCompleted);
        byte[] buffer = new byte[64 * 1024];
        for (int left = handler.Writes; left > 0;)
        {
            left -= client.Receive(buffer);
        }

        await handler.Seen.WaitAsync(_patience, Cancellation);
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_unix_socket_does_not_tell(string model)
    {
        Looks handler = new(static _ => true);
        await using Running server = await Running.StartAsync(ServiceOf(handler), "unix", model: model);
        using Peer client = server.Connect();
        Assert.Equal(TransportState.Unknown, await handler.First.WaitAsync(_patience, Cancellation));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task The_kernel_looks_after_the_peer_of_a_connection_of_ours_if_that_is_asked(string model)
    {
        Looks idle = new(static _ => false);
        await using Running upstream = await Running.StartAsync(ServiceOf(idle));
        Connects handler = new(upstream.Endpoint);
        await using Running server = await Running.StartAsync(ServiceOf(handler), model: model);
        using Socket client = Connect(server);
        int port = (await handler.Local.WaitAsync(_patience, Cancellation)).Port;

        // The timer 2 of /proc/net/tcp is the keep-alive's (tcp_seq_show in net/ipv4/tcp_ipv4.c).
        string ours = $" 0100007F:{port:X4} 0100007F:{upstream.Endpoint.Port:X4} ";
        string row = Assert.Single(File.ReadLines("/proc/net/tcp"), line => line.Contains(ours, StringComparison.Ordinal));
        Assert.StartsWith("02:", row.Split(' ', StringSplitOptions.RemoveEmptyEntries)[5], StringComparison.Ordinal);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static Service ServiceOf(StreamHandler handler) => new("looks")
    {
        NewStreamHandler = _ => handler,
        StreamLimits = StreamLimits.Default with { IdleTimeout = Timeout.InfiniteTimeSpan },
    };

    private static Socket Connect(Running server)
    {
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.ReceiveTimeout = (int)_patience.TotalMilliseconds;
        client.Connect("127.0.0.1", server.Endpoint.Port);
        return client;
    }

    /// <summary>Takes no input, and looks at the transport until it is in a given state.</summary>
    private sealed class Looks(Func<TransportState, bool> isSought) : StreamHandler
    {
        private readonly TaskCompletionSource<TransportState> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Writes { get; init; }

        public bool StaysInTheCall { get; init; }

        public Task<TransportState> First => _first.Task;

        public Task Seen => _seen.Task;

        public override Next OnOpen(Turn turn)
        {
            turn.Output.Write(new byte[Writes]);
            turn.Alarm = turn.Now + TimeSpan.FromMilliseconds(10);
            return Next.Park;
        }

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => Step.Park(0);

        public override Next OnAlarm(Turn turn)
        {
            ConnectionInfo connection = turn.Connection;
            TransportState state = connection.ReadTransport();
            _first.TrySetResult(state);
            if (StaysInTheCall)
            {
                Peer.Eventually(() => isSought(state = connection.ReadTransport()), "the state is there");
            }

            if (isSought(state))
            {
                _seen.TrySetResult();
            }

            turn.Alarm = turn.Now + TimeSpan.FromMilliseconds(10);
            return Next.Stay;
        }
    }

    /// <summary>Opens a connection with a keep-alive, and tells its own address.</summary>
    private sealed class Connects(Endpoint upstream) : StreamHandler
    {
        private readonly TaskCompletionSource<PeerAddress> _local = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<PeerAddress> Local => _local.Task;

        public override Next OnOpen(Turn turn)
        {
            turn.Connect(upstream, new Tells(_local), new ConnectOptions { KeepAlive = TimeSpan.FromSeconds(15) });
            return Next.Park;
        }

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => Step.Park(0);
    }

    private sealed class Tells(TaskCompletionSource<PeerAddress> local) : StreamHandler
    {
        public override Next OnOpen(Turn turn)
        {
            local.TrySetResult(turn.Connection.Local);
            return Next.Park;
        }

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => Step.Park(0);
    }
}
