using System.Globalization;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>The bounds of one door, which stand in the place of the server's and the service's.</summary>
public sealed class DoorLimitTests
{
    private const string Tcp = "tcp://127.0.0.1:0";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    public static TheoryData<string> AtOnce => Models.Only(Models.AtOnce);

    public static TheoryData<string> All => Models.Only(Models.All);

    public static TheoryData<string> Many => Models.Only(Models.Many);

    public static TheoryData<string> HereAtOnce => Models.Only([.. Models.Here.Intersect(Models.AtOnce)]);

    [Theory]
    [MemberData(nameof(AtOnce))]
    public async Task One_connection_too_many_at_a_door_waits_in_its_backlog_and_comes_in_when_there_is_room(string model)
    {
        await using Running running = await StartAsync(model, new DoorLimits { MaxConnections = 1 });
        using Peer first = running.Connect();
        Assert.Equal("A\n", first.Ask("a\n"));
        using Peer waits = running.Connect();
        waits.Send("b\n");
        Assert.Equal("A\n", first.Ask("a\n"));
        Assert.Equal((1L, 0L), (running.Counts.ConnectionsOpened, running.Counts.ConnectionsRefused));
        first.HalfClose();
        Assert.Equal("", first.ReceiveToEnd());
        first.Dispose();
        Assert.Equal("B\n", waits.Receive(2));
    }

    [Theory]
    [MemberData(nameof(HereAtOnce))]
    public async Task A_full_door_keeps_no_other_door_from_serving(string model)
    {
        await using Running running = await StartTwoDoorsAsync(model, AtLimit.LeaveInBacklog);
        using Peer first = new(running.Server.Doors[0].Endpoint);
        Assert.Equal("A\n", first.Ask("a\n"));
        using Peer waits = new(running.Server.Doors[0].Endpoint);
        waits.Send("b\n");
        for (int i = 0; i < 3; i++)
        {
            using Peer other = new(running.Server.Doors[1].Endpoint);
            Assert.Equal("C\n", other.Ask("c\n"));
        }

        Assert.Equal(4, running.Counts.ConnectionsOpened);
        first.Dispose();
        Assert.Equal("B\n", waits.Receive(2));
    }

    [Theory]
    [MemberData(nameof(HereAtOnce))]
    public async Task Where_one_too_many_is_refused_it_is_so_at_a_full_door_too(string model)
    {
        await using Running running = await StartTwoDoorsAsync(model, AtLimit.Close);
        using Peer first = new(running.Server.Doors[0].Endpoint);
        Assert.Equal("A\n", first.Ask("a\n"));
        using (Peer refused = new(running.Server.Doors[0].Endpoint))
        {
            Assert.Equal("", refused.ReceiveToEnd());
        }

        using Peer other = new(running.Server.Doors[1].Endpoint);
        Assert.Equal("C\n", other.Ask("c\n"));
        Assert.Equal(1, running.Counts.ConnectionsRefused);
        first.Dispose();
        Peer.Eventually(() => running.Counts.ConnectionsOpen == 1, "the first is closed");
        Peer.Eventually(() => TryAsk(running.Server.Doors[0].Endpoint), "there is room again");
    }

    [Theory]
    [MemberData(nameof(HereAtOnce))]
    public async Task What_waits_at_a_full_door_is_served_in_a_drain(string model)
    {
        await using Running running = await StartAsync(model, new DoorLimits { MaxConnections = 1 });
        using Peer first = running.Connect();
        first.Send("a");
        Peer.Eventually(() => running.Counts.ConnectionsOpened == 1, "the first is open, and in the middle of a line");
        using Peer waits = running.Connect();
        waits.Send("b\n");
        Task drained = running.Server.DrainAsync(_patience);
        first.Send("\n");
        Assert.Equal("A\n", first.ReceiveToEnd());
        first.Dispose();
        Assert.Equal("B\n", waits.ReceiveToEnd());
        await drained;
        Assert.Equal(2, running.Counts.Closed(CloseReason.Completed));
    }

    [Theory]
    [MemberData(nameof(AtOnce))]
    public async Task One_address_has_its_share_of_a_door_and_no_more(string model)
    {
        await using Running running = await StartAsync(model, new DoorLimits { MaxConnectionsPerAddress = 1 });
        using Peer first = running.Connect();
        Assert.Equal("A\n", first.Ask("a\n"));
        using (Peer second = running.Connect())
        {
            Assert.Equal("", second.ReceiveToEnd());
        }

        Assert.Equal(1, running.Counts.ConnectionsRefused);
        first.Dispose();
        Peer.Eventually(() => running.Counts.ConnectionsOpen == 0, "the first is closed");
        Peer.Eventually(() => TryAsk(running.Endpoint), "there is room again");
    }

    [Theory]
    [MemberData(nameof(Many))]
    public async Task A_door_with_a_bound_of_its_own_for_an_address_is_out_of_the_servers(string model)
    {
        await using Running running = await Running.StartAsync(ClassicServices.Capitalize, model: model, change: options => options with
        {
            MaxConnectionsPerAddress = 1,
            Doors =
            [
                new DoorOptions
                {
                    Endpoint = Tcp, Service = options.Service!, Limits = new DoorLimits { MaxConnectionsPerAddress = 2 },
                },
            ],
        });
        Endpoint[] doors = [.. running.Server.Doors.Select(static door => door.Endpoint)];
        using Peer first = new(doors[1]);
        using Peer second = new(doors[1]);
        using Peer ofServer = new(doors[0]);
        Assert.Equal("ABC", string.Concat(new[] { first.Ask("a\n"), second.Ask("b\n"), ofServer.Ask("c\n") }.Select(static it => it[0])));
        foreach (Endpoint door in doors)
        {
            using Peer tooMany = new(door);
            Assert.Equal("", tooMany.ReceiveToEnd());
        }

        Assert.Equal(2, running.Counts.ConnectionsRefused);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task An_idle_connection_is_closed_when_its_door_says_so(string model)
    {
        await using Running running = await StartAsync(model, new DoorLimits { IdleTimeout = TimeSpan.FromMilliseconds(300) });
        using Peer peer = running.Connect();
        Assert.Equal("A\n", peer.Ask("a\n"));
        Assert.Equal("", peer.ReceiveToEnd());
        peer.Dispose();
        Peer.Eventually(() => running.Counts.Closed(CloseReason.IdleTimeout) == 1, "it is counted");
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_message_too_large_for_its_door_ends_the_connection(string model)
    {
        await using Running running = await StartAsync(model, new DoorLimits { MaxMessageBytes = 10 });
        using Peer peer = running.Connect();
        Assert.Equal("0123456\n", peer.Ask("0123456\n"));
        peer.Send("01234567890123456789");
        Peer.Eventually(() => running.Counts.Closed(CloseReason.MessageTooLarge) == 1, "it is counted");
    }

    [Theory]
    [MemberData(nameof(HereAtOnce))]
    public async Task The_limit_of_an_address_counts_those_whom_the_proxy_names_and_not_the_proxy(string model)
    {
        await using Running running = await Running.StartAsync(ClassicServices.Capitalize, model: model, change: options => options with
        {
            MaxConnectionsPerAddress = 1,
            Service = null,
            Endpoints = [],
            Doors =
            [
                new DoorOptions
                {
                    Endpoint = Tcp, Service = options.Service!, Layers = [ProxyProtocol.Accept([AddressRange.Parse("127.0.0.0/8")])],
                },
            ],
        });
        using Peer first = Named(running, "192.0.2.1");
        using Peer second = Named(running, "192.0.2.2");
        Assert.Equal(("A\n", "B\n"), (first.Ask("a\n"), second.Ask("b\n")));
        using (Peer third = Named(running, "192.0.2.2"))
        {
            third.HalfClose();
            Assert.Equal("", third.ReceiveToEnd());
        }

        Peer.Eventually(() => running.Counts.ConnectionsOpen == 2, "the third is closed");
        Assert.Equal((1L, 1L), (running.Counts.ConnectionsRefused, running.Counts.Closed(CloseReason.PeerRefused)));
        second.HalfClose();
        Assert.Equal("", second.ReceiveToEnd());
        Peer.Eventually(() => running.Counts.ConnectionsOpen == 1, "the second is closed");
        Peer.Eventually(
            () =>
            {
                using Peer again = Named(running, "192.0.2.2");
                again.Send("again\n");
                again.HalfClose();
                return again.ReceiveToEnd() == "AGAIN\n";
            },
            "its address may come in again");
    }

    [Theory]
    [InlineData("MaxConnections")]
    [InlineData("MaxConnectionsPerAddress")]
    [InlineData("IdleTimeout")]
    public async Task A_limit_that_makes_no_sense_is_refused_by_its_name(string limit)
    {
        DoorLimits wrong = limit switch
        {
            "MaxConnections" => new() { MaxConnections = 0 },
            "MaxConnectionsPerAddress" => new() { MaxConnectionsPerAddress = 0 },
            _ => new() { IdleTimeout = TimeSpan.Zero },
        };
        ServerOptions options = new() { Doors = [new DoorOptions { Endpoint = Tcp, Service = ClassicServices.Echo, Limits = wrong }] };
        ArgumentOutOfRangeException refused = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Server.StartAsync(options));
        Assert.Equal(limit, refused.ParamName);
    }

    [Fact]
    public void What_is_set_nowhere_is_the_services_and_the_door_comes_before_the_server()
    {
        StreamLimits service = StreamLimits.Default with { MaxMessageBytes = 1, MinDataRate = 5, OutputHighMark = 50 };
        StreamLimits atServer = new StreamLimitOverrides { MaxMessageBytes = 2, MaxPendingOutput = 20 }.ApplyTo(service);
        Assert.Equal(service with { MaxMessageBytes = 2, MaxPendingOutput = 20, OutputHighMark = 20 }, atServer);
        StreamLimits atDoor = new DoorLimits { MaxMessageBytes = 3 }.ApplyTo(atServer);
        Assert.Equal(atServer with { MaxMessageBytes = 3 }, atDoor);
    }

    private static Peer Named(Running running, string address)
    {
        Peer peer = new(running.Endpoint);
        peer.Send($"PROXY TCP4 {address} 198.51.100.7 56324 443\r\n");
        return peer;
    }

    private static bool TryAsk(Endpoint door)
    {
        using Peer peer = new(door);
        try
        {
            peer.Send("z\n");
            peer.HalfClose();
            return peer.ReceiveToEnd() == "Z\n";
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static Task<Running> StartTwoDoorsAsync(string model, AtLimit atLimit) => Running.StartAsync(
        ClassicServices.Capitalize,
        model: model,
        change: options => options with
        {
            AtLimit = atLimit,
            Endpoints = [],
            Doors =
            [
                new DoorOptions { Endpoint = Tcp, Service = options.Service!, Limits = new DoorLimits { MaxConnections = 1 } },
                new DoorOptions { Endpoint = Tcp, Service = options.Service! },
            ],
        });

    /// <summary>A worker process is the command's, which reads the limits from a file.</summary>
    private static Task<Running> StartAsync(string model, DoorLimits limits) => DoorFile.StartAsync(
        ClassicServices.Capitalize,
        model,
        "tcp",
        options => options with
        {
            Service = null,
            Endpoints = [],
            AtLimit = AtLimit.LeaveInBacklog,
            Doors = [new DoorOptions { Endpoint = options.Endpoints[0], Service = options.Service!, Limits = limits }],
        },
        $$"""  "Limits": { {{Json(limits)}} } """);

    private static string Json(DoorLimits limits) => limits switch
    {
        { MaxConnections: { } max } => string.Create(CultureInfo.InvariantCulture, $"\"MaxConnections\": {max}"),
        { MaxConnectionsPerAddress: { } max } => string.Create(CultureInfo.InvariantCulture, $"\"MaxConnectionsPerAddress\": {max}"),
        { MaxMessageBytes: { } max } => string.Create(CultureInfo.InvariantCulture, $"\"MaxMessageBytes\": {max}"),
        { IdleTimeout: { } time } => string.Create(CultureInfo.InvariantCulture, $"\"IdleTimeout\": \"{time.TotalMilliseconds}ms\""),
        _ => "",
    };
}
