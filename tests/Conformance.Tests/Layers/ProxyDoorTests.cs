using System.Text;

namespace Doorbell.Tests;

/// <summary>A door behind a proxy, on real sockets under every model.</summary>
public sealed class ProxyDoorTests
{
    private const string Header = "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n";

    private static readonly AddressRange[] _loopback = [AddressRange.Parse("127.0.0.0/8")];

    public static TheoryData<string> Here => Models.Only(Models.Here);

    public static TheoryData<string> InProcesses => Models.Only(["process", "prefork"]);

    [Theory]
    [MemberData(nameof(Here))]
    public async Task The_handler_sees_whom_the_proxy_names_however_the_header_is_cut(string model)
    {
        await using Running running = await StartAsync(model, "127.0.0.0/8");
        byte[] all = Encoding.ASCII.GetBytes(Header + "who\n");
        foreach (int cut in new[] { 0, 1, 20, Header.Length - 1, Header.Length, all.Length })
        {
            using Peer peer = running.Connect();
            peer.Send(all.AsSpan(..cut));
            peer.Send(all.AsSpan(cut..));
            Assert.Equal("192.0.2.1:56324\n", peer.Receive(16));
            peer.Send("again\n");
            Assert.Equal("192.0.2.1:56324\n", peer.Receive(16));
            peer.HalfClose();
            Assert.Equal("", peer.ReceiveToEnd());
        }
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task Who_is_not_trusted_is_closed_in_order_without_an_answer(string model)
    {
        await using Running running = await StartAsync(model, "10.0.0.0/8");
        using Peer peer = running.Connect();
        peer.Send(Header + "who\n");
        peer.HalfClose();
        Assert.Equal("", peer.ReceiveToEnd());
        await running.Server.DrainAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(1, running.Counts.Closed(CloseReason.PeerRefused));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task The_limit_of_an_address_counts_and_gives_back_whom_the_proxy_names(string model)
    {
        await using Running running = await StartAsync(
            model, "127.0.0.0/8", maxPerAddress: model == "iterative" ? int.MaxValue : 1);
        for (int i = 0; i < 3; i++)
        {
            using Peer peer = running.Connect();
            peer.Send(Header + "who\n");
            Assert.Equal("192.0.2.1:56324\n", peer.Receive(16));
            peer.HalfClose();
            Assert.Equal("", peer.ReceiveToEnd());
            Assert.True(SpinWait.SpinUntil(() => running.Counts.ConnectionsOpen == 0, TimeSpan.FromSeconds(20)));
        }
    }

    [Theory]
    [MemberData(nameof(InProcesses))]
    public async Task A_process_reads_the_header_too_and_counts_whom_it_names(string model)
    {
        Service service = ClassicServices.Capitalize;
        await using Running running = await Running.StartAsync(
            service,
            model: model,
            change: options => options with
            {
                MaxConnectionsPerAddress = 1,
                Endpoints = [],
                Doors =
                [
                    new DoorOptions { Endpoint = options.Endpoints[0], Service = service, Layers = [ProxyProtocol.Accept(_loopback)] },
                ],
            },
            workerArguments: ["--accept-proxy", "127.0.0.0/8", "--max-per-address", "1"]);
        using Peer first = running.Connect();
        first.Send(Header + "a\n");
        Assert.Equal("A\n", first.Receive(2));
        using Peer other = running.Connect();
        other.Send("PROXY TCP4 192.0.2.2 198.51.100.7 56324 443\r\nb\n");
        Assert.Equal("B\n", other.Receive(2));
        if (model == "process")
        {
            using Peer again = running.Connect();
            again.Send(Header);
            again.HalfClose();
            Assert.Equal("", again.ReceiveToEnd());
            Peer.Eventually(() => running.Counts.Closed(CloseReason.PeerRefused) == 1, "it is refused");
            Assert.Equal(1, running.Counts.ConnectionsRefused);
        }

        first.Dispose();
        Peer.Eventually(() => running.Counts.ConnectionsOpen == 1, "the first is closed");
        using Peer later = running.Connect();
        later.Send(Header + "c\n");
        Assert.Equal("C\n", later.Receive(2));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_header_that_does_not_come_ends_the_connection_and_what_is_no_header_is_logged(string model)
    {
        using LogRecords log = new();
        await using Running running = await StartAsync(model, "127.0.0.0/8", change: options => options with
        {
            Logging = log, StreamLimits = new StreamLimitOverrides { OpeningTimeout = TimeSpan.FromMilliseconds(300) },
        });
        using (Peer silent = running.Connect())
        {
            silent.Send("PROXY TCP4");
            Assert.Equal("", silent.ReceiveToEnd());
        }

        Peer.Eventually(() => running.Counts.Closed(CloseReason.OpeningTimeout) == 1, "it is counted");
        using Peer wrong = running.Connect();
        wrong.Send("GET / HTTP/1.1\r\n\r\n");
        wrong.HalfClose();
        Assert.Equal("", wrong.ReceiveToEnd());
        Peer.Eventually(() => running.Counts.Closed(CloseReason.LayerFailed) == 1, "it is counted");
        Peer.Eventually(
            () => log.Lines.Any(static line => line.Contains("PROXY header", StringComparison.Ordinal)), "the reason is logged");
    }

    [Fact]
    public async Task Layers_stand_neither_on_datagrams_nor_before_a_program()
    {
        Service echo = ClassicServices.Echo;
        ArgumentException datagrams = await Assert.ThrowsAsync<ArgumentException>(() => StartAsync(echo, "udp://127.0.0.1:0"));
        Assert.Contains("datagrams", datagrams.Message, StringComparison.Ordinal);
        Service cat = Service.Run("cat", new ServiceProgram("/bin/cat", []));
        ArgumentException program = await Assert.ThrowsAsync<ArgumentException>(() => StartAsync(cat, "tcp://127.0.0.1:0"));
        Assert.Contains("program", program.Message, StringComparison.Ordinal);
    }

    private static Task<Server> StartAsync(Service service, string endpoint) => Server.StartAsync(new ServerOptions
    {
        Doors = [new DoorOptions { Endpoint = Endpoint.Parse(endpoint), Service = service, Layers = [ProxyProtocol.Accept([])] }],
    });

    private static Task<Running> StartAsync(
        string model, string trusted, int maxPerAddress = int.MaxValue, Func<ServerOptions, ServerOptions>? change = null)
    {
        Service service = new("who") { NewStreamHandler = static _ => new NameHandler() };
        return Running.StartAsync(service, model: model, change: options => (change?.Invoke(options) ?? options) with
        {
            MaxConnectionsPerAddress = maxPerAddress,
            Endpoints = [],
            Doors =
            [
                new DoorOptions
                {
                    Endpoint = options.Endpoints[0],
                    Service = service,
                    Layers = [ProxyProtocol.Accept([AddressRange.Parse(trusted)])],
                },
            ],
        });
    }

    /// <summary>Answers each line with the peer's name.</summary>
    private sealed class NameHandler : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            int end = input.IndexOf((byte)'\n');
            if (end >= 0)
            {
                turn.Output.Write(Encoding.ASCII.GetBytes($"{turn.Peer}\n"));
            }

            return Step.More(end + 1);
        }
    }
}
