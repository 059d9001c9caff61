using System.Net;
using System.Net.Sockets;
using System.Text;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>The simulated network does what Linux does, or differs as docs/testing.md says.</summary>
public sealed class SimulationFidelityTests
{
    private const int AnswerBytes = 100_000;
    private const int SimulatedWindow = 64 * 1024;

    private static readonly TimeSpan _long = TimeSpan.FromSeconds(20);

    public static TheoryData<string> Streams => StreamNetwork.All;

    public static TheoryData<string> Datagrams => ["127.0.0.1", "10.0.0.2", "kernel"];

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task A_parked_handler_over_unread_bytes_is_told_of_the_drain_at_once(string network)
    {
        Parked handler = new();
        await using StreamNetwork streams = await StreamNetwork.StartAsync(network, ServiceOf(handler));
        StreamNetworkClient client = streams.Connect();
        client.Send("x"u8);
        streams.Until(() => handler.IsParked, "it is parked");
        client.Send("unread"u8);
        streams.Drain();
        streams.Until(() => handler.IsTold, "it is told of the drain");
        Assert.Equal(0, streams.Counts.Closed(CloseReason.Completed));
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task A_reset_ends_a_parked_connection_over_unread_bytes(string network)
    {
        Parked handler = new();
        await using StreamNetwork streams = await StreamNetwork.StartAsync(network, ServiceOf(handler));
        StreamNetworkClient client = streams.Connect();
        client.Send("x"u8);
        streams.Until(() => handler.IsParked, "it is parked");
        client.Send("unread"u8);
        client.Reset();
        streams.Until(() => streams.Counts.Closed(CloseReason.PeerReset) == 1, "it is over");
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task An_answer_that_nobody_reads_is_taken_by_the_kernel_up_to_its_window(string network)
    {
        Parked handler = new(AnswerBytes);
        await using StreamNetwork streams = await StreamNetwork.StartAsync(network, ServiceOf(handler));
        streams.Connect().Send("x"u8);
        int taken = streams.IsSimulated ? SimulatedWindow : AnswerBytes;
        streams.Until(() => streams.Counts.BytesSent >= taken, "as much as may be is sent");
        Assert.Equal(taken, streams.Counts.BytesSent);
    }

    [Fact]
    public async Task Nobody_at_the_other_end_of_a_datagram_connection_is_told_to_its_handler()
    {
        SimulatedNetwork network = new(7);
        Asking simulated = new();
        simulated.Peer = network.Host("server").At(7);
        network.ConnectDatagram(network.Host("client").At(50_000), simulated.Peer, _ => simulated);
        network.Run(TimeSpan.FromSeconds(1));
        Assert.Equal(simulated.Peer, await simulated.Unreachable.WaitAsync(_long, TestContext.Current.CancellationToken));

        using Socket none = Bound();
        IPEndPoint nobody = (IPEndPoint)none.LocalEndPoint!;
        none.Dispose();
        Asking real = new();
        await using DatagramConnection connection = await DatagramConnection.OpenAsync(
            Endpoint.From(Transport.Udp, nobody),
            socket =>
            {
                real.Peer = socket.Peer;
                return real;
            },
            _long,
            ClientOptions.Default,
            TestContext.Current.CancellationToken);
        Assert.Equal(PeerAddress.From(nobody), await real.Unreachable.WaitAsync(_long, TestContext.Current.CancellationToken));
    }

    [Theory]
    [MemberData(nameof(Datagrams))]
    public async Task A_client_on_loopback_is_exempt_from_the_bound_of_amplification_and_another_machine_is_not(string client)
    {
        Service large = new("large") { NewDatagramHandler = static _ => new Large() };
        int received = client == "kernel" ? await AskKernelAsync(large) : AskSimulated(large, IPAddress.Parse(client));
        Assert.Equal(client == "10.0.0.2" ? 0 : Large.Bytes, received);
    }

    [Fact]
    public async Task A_syn_without_an_answer_is_sent_again_each_second_at_first()
    {
        SimulatedNetwork network = new(7);
        network.ListenStream(network.Host("server").At(7000), ClassicServices.Echo);
        network.Partition(network.Host("client"), network.Host("server"));
        SimulatedClient client = network.ConnectStream(network.Host("client").At(50_000), network.Host("server").At(7000));
        network.Run(TimeSpan.FromSeconds(3.5));
        network.Heal(network.Host("client"), network.Host("server"));
        network.Run(TimeSpan.FromSeconds(4.5));
        Assert.True(client.IsConnected, "the fifth SYN is sent after 4 s");

        // With a backlog of 0 one connection may wait, and the SYN of the next is dropped.
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        using Socket waiting = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        waiting.Connect(listener.LocalEndPoint!);
        using Socket late = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Task connecting = late.ConnectAsync(listener.LocalEndPoint!, TestContext.Current.CancellationToken).AsTask();
        Peer.Eventually(() => Syns(late).SentAgain >= 3, "the SYN has been sent four times");
        int linear = File.Exists("/proc/sys/net/ipv4/tcp_syn_linear_timeouts") ? 4 : 0;
        (int sentAgain, int doubled) = Syns(late);
        Assert.Equal(Math.Max(sentAgain - linear, 0), doubled);
        late.Dispose();
        await Assert.ThrowsAnyAsync<SocketException>(() => connecting.WaitAsync(_long, TestContext.Current.CancellationToken));
    }

    /// <summary>struct tcp_info: tcpi_retransmits and tcpi_backoff, which counts how often the wait was doubled.</summary>
    private static (int SentAgain, int Doubled) Syns(Socket socket)
    {
        const int TcpInfo = 11;
        Span<byte> info = stackalloc byte[104];
        socket.GetRawSocketOption((int)SocketOptionLevel.Tcp, TcpInfo, info);
        return (info[2], info[4]);
    }

    private static int AskSimulated(Service service, IPAddress address)
    {
        SimulatedNetwork network = new(7);
        PeerAddress server = PeerAddress.From(new IPEndPoint(address, 7));
        network.BindDatagram(server, service);
        int received = 0;
        SimulatedDatagramSocket client = network.BindDatagram(
            PeerAddress.From(new IPEndPoint(address, 50_000)), (bytes, _, _) => received = bytes.Length);
        client.Send(server, "?"u8);
        network.RunUntilIdle();
        return received;
    }

    private static async Task<int> AskKernelAsync(Service service)
    {
        await using Running running = await Running.StartAsync(service, "udp");
        using Socket client = Bound();
        client.ReceiveTimeout = (int)_long.TotalMilliseconds;
        client.SendTo("?"u8, new IPEndPoint(IPAddress.Loopback, running.Endpoint.Port));
        return client.Receive(new byte[2 * Large.Bytes]);
    }

    private static Socket Bound()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private static Service ServiceOf(StreamHandler handler) => new("parked") { NewStreamHandler = _ => handler };

    /// <summary>Answers the first bytes, and parks.</summary>
    private sealed class Parked(int answerBytes = 0) : StreamHandler
    {
        private volatile bool _isParked;
        private volatile bool _isTold;

        public bool IsParked => _isParked;

        public bool IsTold => _isTold;

        public override bool IsIdle => false;

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            turn.Output.Write(new byte[answerBytes]);
            _isParked = true;
            return Step.Park(input.Length);
        }

        public override Next OnDrain(Turn turn)
        {
            _isTold = true;
            return Next.Stay;
        }
    }

    private sealed class Asking : DatagramHandler
    {
        private readonly TaskCompletionSource<PeerAddress> _unreachable = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public PeerAddress Peer { get; set; }

        public Task<PeerAddress> Unreachable => _unreachable.Task;

        public override void OnOpen(DatagramTurn turn)
        {
            Encoding.UTF8.GetBytes("anybody?", turn.Output);
            turn.SendTo(Peer);
        }

        public override void OnDatagram(Datagram datagram, DatagramTurn turn) => Assert.Fail("nobody has sent anything");

        public override void OnUnreachable(PeerAddress peer, DatagramTurn turn) => _unreachable.TrySetResult(peer);
    }

    private sealed class Large : DatagramHandler
    {
        public const int Bytes = 1000;

        public override void OnDatagram(Datagram datagram, DatagramTurn turn)
        {
            turn.Reply(new byte[Bytes]);
        }
    }
}
