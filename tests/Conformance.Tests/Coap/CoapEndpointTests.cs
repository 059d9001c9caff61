using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Doorbell.Coap;

namespace Doorbell.Tests;

/// <summary>What a server does with its <c>coap://</c> endpoints, under every model that has threads or tasks.</summary>
public sealed class CoapEndpointTests
{
    /// <summary>Confirmable POST, message ID 0x1234, token 7, Uri-Path "count" (RFC 7252 section 3).</summary>
    private static readonly byte[] _question = [0x41, 0x02, 0x12, 0x34, 7, 0xb5, .. "count"u8];

    private int _effects;

    public static TheoryData<string> Here => Models.Only(Models.Here);

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_datagram_that_comes_three_times_has_one_effect_and_the_same_answer(string model)
    {
        await using Running server = await StartAsync(model);
        using Socket peer = Connect(server.Endpoint);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal([0x61, 0x44, 0x12, 0x34, 7, 0xff, (byte)'1'], Ask(peer, _question));
        }

        Assert.Equal((1, 3), (_effects, (int)server.Counts.Requests));
    }

    /// <summary>The acknowledgement of a slow resource comes at once, its answer behind it, and again until it is acknowledged.</summary>
    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_slow_resource_answers_in_a_message_of_its_own(string model)
    {
        await using Running server = await StartAsync(model);
        using Socket peer = Connect(server.Endpoint);
        Assert.Equal([0x60, 0, 0x12, 0x35], Ask(peer, [0x41, 0x02, 0x12, 0x35, 8, 0xb4, .. "slow"u8]));
        byte[] answer = Receive(peer);
        Assert.Equal([0x41, 0x44, answer[2], answer[3], 8, 0xff, (byte)'1'], answer);
        Assert.Equal(answer, Receive(peer));
        peer.Send([0x60, 0, answer[2], answer[3]]);
        Assert.Equal([0x70, 0, 0, 1], Ask(peer, [0x40, 0, 0, 1]));
        Assert.Equal(1, _effects);
    }

    [Fact]
    public async Task A_service_without_resources_is_one_by_its_name()
    {
        Service shout = Service.Lines("shout", static (line, answer) => UpperCase.Ascii(line, answer));
        await using Server server = await Server.StartAsync(new ServerOptions
        {
            Service = shout,
            Endpoints = [Endpoint.Parse("tcp://127.0.0.1:0")],
            Doors = [new DoorOptions { Endpoint = Coap("coap://127.0.0.1:0"), Service = CoapService.From(shout) }],
        });
        Assert.Equal(["tcp", "coap"], server.Doors.Select(static door => door.Endpoint.ToString().Split(':')[0]));
        Assert.Equal([shout.Name, shout.Name], server.Doors.Select(static door => door.Service.Name));
        using Peer plain = new(server.Doors[0].Endpoint);
        Assert.Equal("HI\n", plain.Ask("hi\n"));
        using Socket peer = Connect(server.Doors[1].Endpoint);
        byte[] question = [0x40, 0x02, 0x12, 0x34, 0xb5, .. "shout"u8, 0xff, .. "hi"u8];
        Assert.Equal([0x60, 0x44, 0x12, 0x34, 0xff, .. "HI"u8], Ask(peer, question));
    }

    [Fact]
    public async Task A_service_that_has_no_resource_and_models_of_processes_are_refused()
    {
        Service streams = new("streams") { NewStreamHandler = ClassicServices.Echo.NewStreamHandler };
        Assert.Throws<ArgumentException>(() => CoapService.From(streams));
        ServerOptions options = new()
        {
            Service = CoapService.From(ClassicServices.Echo),
            Endpoints = [Coap("coap://127.0.0.1:0")],
            Model = ServerModel.Prefork(),
        };
        await Assert.ThrowsAsync<ArgumentException>(() => Server.StartAsync(options));
        Assert.Throws<ArgumentOutOfRangeException>(() => CoapService.From(
            ClassicServices.Echo, CoapServerLimits.Default with { MaxBodyBytes = 0 }));
    }

    [Fact]
    public async Task The_next_server_takes_a_coap_socket_over()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await using Server old = await Server.StartAsync(Options("coap://127.0.0.1:0", path));
        string door = old.Doors[0].Endpoint.ToString();
        await using Server next = await Server.StartAsync(Options(door, path));
        Assert.Equal([door], next.Doors.Select(static each => each.Endpoint.ToString()));
        Assert.Equal(Environment.ProcessId, next.TookOverFrom);
        await old.DrainAsync(TimeSpan.FromSeconds(20));
        using Socket peer = Connect(next.Doors[0].Endpoint);
        Assert.Equal([0x70, 0, 0, 1], Ask(peer, [0x40, 0, 0, 1]));
    }

    private static Endpoint Coap(string endpoint) => Endpoint.Parse(endpoint, CoapService.Scheme);

    private static ServerOptions Options(string endpoint, string takeover) => new()
    {
        Service = CoapService.From(ClassicServices.Echo),
        Endpoints = [Coap(endpoint)],
        TakeoverPath = takeover,
    };

    private Task<Running> StartAsync(string model)
    {
        CoapCode Count(CoapRequest request, IBufferWriter<byte> body)
        {
            body.Write([(byte)('0' + Interlocked.Increment(ref _effects))]);
            return CoapCode.Changed;
        }

        Service service = CoapService.From("counter", new Dictionary<string, CoapResource>
        {
            ["count"] = new(Count),
            ["slow"] = new(Count) { IsSlow = true },
        });
        return Running.StartAsync(service, "udp", model: model);
    }

    private static Socket Connect(Endpoint endpoint)
    {
        Socket peer = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 20_000 };
        peer.Connect(IPAddress.Loopback, endpoint.Port);
        return peer;
    }

    private static byte[] Ask(Socket peer, byte[] question)
    {
        peer.Send(question);
        return Receive(peer);
    }

    private static byte[] Receive(Socket peer)
    {
        byte[] buffer = new byte[2048];
        return buffer[..peer.Receive(buffer)];
    }
}
