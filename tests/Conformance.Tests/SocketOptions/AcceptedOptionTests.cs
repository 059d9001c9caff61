using System.Globalization;
using Doorbell.Native;
using Doorbell.SocketOptions;

namespace Doorbell.Tests;

/// <summary>
/// What a connection does not inherit from its listener, under each way to accept. Looked for among this process's descriptors, so not
/// beside the other tests of options.
/// </summary>
[Collection("socket options")]
public sealed class AcceptedOptionTests
{
    private const int SolSocket = 1;
    private const int AcceptConn = 30;
    private const int Priority = 12;
    private const int LowWater = 18;

    public static TheoryData<string> All => Models.Only(Models.Here);

    public static TheoryData<string> Many => Models.Only(Models.Many);

    /// <summary>SO_PRIORITY is inherited by nobody. The handler says what it is in the first call of its session.</summary>
    [Theory]
    [MemberData(nameof(Many))]
    public async Task A_connection_has_its_options_before_its_first_session_call(string model)
    {
        int found = 0;
        Service service = new("look")
        {
            NewStreamHandler = _ => new Look(() => Interlocked.Exchange(ref found, Connections(Priority, 3))),
        };
        await using Running server = await StartAsync(service, "tcp", model, "SO_PRIORITY=3");
        using Peer peer = server.Connect();
        Assert.Equal("", peer.ReceiveToEnd());
        Assert.Equal(1, Volatile.Read(ref found));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Connections_have_what_they_do_not_inherit(string model)
    {
        await using Running tcp = await StartAsync(ClassicServices.Echo, "tcp", model, "SO_PRIORITY=3");
        await using Running unix = await StartAsync(ClassicServices.Echo, "unix", model, "SO_RCVLOWAT=3");
        using Peer first = tcp.Connect();
        using Peer second = unix.Connect();
        Assert.Equal("hello\n", first.Ask("hello\n"));
        Assert.Equal("hello\n", second.Ask("hello\n"));
        Assert.Equal(1, Connections(Priority, 3));
        Assert.Equal(1, Connections(LowWater, 3));
    }

    /// <summary>One server, doors of different kinds: each connection gets what is for its kind alone.</summary>
    [Theory]
    [MemberData(nameof(Many))]
    public async Task Each_door_has_its_own(string model)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await using Running server = await StartAsync(
            ClassicServices.Echo, "tcp", model, ["SO_RCVLOWAT=3", "TCP_QUICKACK=0"], Endpoint.Parse($"unix://{path}"));
        foreach (Door door in server.Server.Doors)
        {
            using Peer peer = new(door.Endpoint);
            Assert.Equal("hello\n", peer.Ask("hello\n"));
        }

        Assert.Equal(0, server.Counts.AcceptErrors);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_connection_that_can_not_have_one_is_closed_and_counted(string model)
    {
        await using Running server = await Running.StartAsync(ClassicServices.Echo, model: model, untriedOption: "TCP_ULP=nonsense");
        for (int i = 1; i <= 3; i++)
        {
            using Peer peer = server.Connect();
            Assert.Equal("", peer.ReceiveToEnd());
            Assert.Equal(i, server.Counts.AcceptErrors);
        }

        Assert.Equal(0, server.Counts.ConnectionsOpened);
    }

    /// <summary>A place that such a connection took would be missed by the next.</summary>
    [Theory]
    [MemberData(nameof(Many))]
    public async Task It_takes_no_place(string model)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await using Running server = await Running.StartAsync(
            ClassicServices.Echo,
            maxConnections: 1,
            model: model,
            change: options => options with { Endpoints = [.. options.Endpoints, Endpoint.Parse($"unix://{path}")] },
            untriedOption: "TCP_ULP=nonsense");
        for (int i = 0; i < 3; i++)
        {
            using Peer refused = server.Connect();
            Assert.Equal("", refused.ReceiveToEnd());
        }

        using Peer peer = new(server.Server.Doors[1].Endpoint);
        Assert.Equal("hello\n", peer.Ask("hello\n"));
    }

    /// <summary>Loops share one listener, whether other servers may share its port or not.</summary>
    [Theory]
    [InlineData("SO_REUSEPORT=0")]
    [InlineData("SO_REUSEPORT=1")]
    public async Task Loops_have_one_listener_which_has_the_option(string sharing)
    {
        await using Server server = await Server.StartAsync(
            Options(ClassicServices.Echo, ServerModel.Loop(4), "tcp", sharing, "SO_RCVLOWAT=6"));
        Assert.Equal(1, Count(LowWater, 6, AcceptConn, 1));
        using Peer peer = new(server.Doors[0].Endpoint);
        Assert.Equal("hello\n", peer.Ask("hello\n"));
    }

    private static ServerOptions Options(Service service, ServerModel model, string transport, params string[] settings) => new()
    {
        Service = service,
        Endpoints = [Endpoint.Parse($"{transport}://127.0.0.1:0")],
        Model = model,
        SocketOptions = [.. settings.Select(SocketOptionSetting.Parse)],
    };

    private static Task<Running> StartAsync(Service service, string transport, string model, string setting) =>
        StartAsync(service, transport, model, [setting], besides: null);

    private static Task<Running> StartAsync(
        Service service, string transport, string model, string[] settings, Endpoint? besides) =>
        Running.StartAsync(service, transport, model: model, change: options => options with
        {
            Endpoints = besides is null ? options.Endpoints : [.. options.Endpoints, besides],
            SocketOptions = [.. settings.Select(SocketOptionSetting.Parse)],
        });

    private static int Connections(int number, int value) => Count(number, value, AcceptConn, 0);

    private static int Count(int number, int value, int number2, int value2) => Descriptors()
        .Count(descriptor => Get(descriptor, number) == value && Get(descriptor, number2) == value2);

    private static int[] Descriptors() =>
        [.. Directory.GetFiles("/proc/self/fd").Select(static path => int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture))];

    private static int? Get(int descriptor, int number)
    {
        byte[] value = new byte[sizeof(int)];
        return SocketOptionCalls.Get(descriptor, SolSocket, number, value, out _) == 0 ? BitConverter.ToInt32(value) : null;
    }

    private sealed class Look(Action look) : StreamHandler
    {
        public override Next OnOpen(Turn turn)
        {
            look();
            return Next.Close;
        }

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => throw new NotSupportedException("it has closed");
    }
}
