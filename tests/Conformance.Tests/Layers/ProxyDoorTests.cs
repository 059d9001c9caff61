using System.Text;

namespace Doorbell.Tests;

/// <summary>A door behind a proxy, on real sockets under every model.</summary>
public sealed class ProxyDoorTests
{
    private const string Header = "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n";

    public static TheoryData<string> Here => Models.Only(Models.Here);

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
    public async Task The_limit_of_an_address_counts_and_gives_back_the_transports(string model)
    {
        await using Running running = await StartAsync(model, "127.0.0.0/8", maxPerAddress: 1);
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

    private static Task<Running> StartAsync(string model, string trusted, int maxPerAddress = int.MaxValue)
    {
        Service service = new("who") { NewStreamHandler = static _ => new NameHandler() };
        return Running.StartAsync(service, model: model, change: options => options with
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
