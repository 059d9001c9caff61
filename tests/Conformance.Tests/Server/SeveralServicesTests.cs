using System.Net.Sockets;
using System.Text;
using Doorbell.Engines;

namespace Doorbell.Tests;

/// <summary>One server, several services: one ledger, one admission, one drain, under every model.</summary>
public sealed class SeveralServicesTests
{
    private const string Tcp = "tcp://127.0.0.1:0";
    private const string Udp = "udp://127.0.0.1:0";
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    public static TheoryData<string> All => Models.Only(Models.All);

    public static TheoryData<string> WithALimit => Models.Only(Models.WithALimit);

    public static TheoryData<string> WithPrograms => Models.Only(["iterative", "thread", "pool", "loop/epoll", "loop/io_uring"]);

    [Theory]
    [MemberData(nameof(All))]
    public async Task Each_door_has_its_service_and_all_one_ledger_and_one_drain(string model)
    {
        await using Server server = await StartAsync(Options(model));
        Assert.Equal(["echo", "capitalize", "echo"], server.Doors.Select(static door => door.Service.Name));
        using (Peer echo = new(server.Doors[0].Endpoint))
        {
            Assert.Equal("one\n", echo.Ask("one\n"));
            echo.HalfClose();
            Assert.Equal("", echo.ReceiveToEnd());
        }

        using (Peer capitalize = new(server.Doors[1].Endpoint))
        {
            Assert.Equal("TWO\n", capitalize.Ask("two\n"));
        }

        Assert.Equal("three", AskDatagram(server.Doors[2].Endpoint, "three"));
        Peer.Eventually(
            () => server.Ledger.Read() is { ConnectionsOpened: 2, ConnectionsOpen: 0, DatagramsReceived: 1 },
            "all is in one ledger");
        await server.DrainAsync(_patience);
        Assert.All(server.Doors.Take(2), static door => Assert.Throws<SocketException>(() => new Peer(door.Endpoint)));
        Assert.Equal(2, server.Ledger.Read().Closed(CloseReason.Completed));
    }

    [Theory]
    [MemberData(nameof(WithALimit))]
    public async Task One_limit_of_connections_is_over_all_services(string model)
    {
        await using Server server = await StartAsync(Options(model) with { MaxConnections = 1, AtLimit = AtLimit.LeaveInBacklog });
        using Peer second = new(server.Doors[1].Endpoint);
        Assert.Equal("FIRST\n", second.Ask("first\n"));
        using Peer waits = new(server.Doors[0].Endpoint);
        waits.Send("then\n");
        Assert.Equal("AGAIN\n", second.Ask("again\n"));
        Assert.Equal(1, server.Ledger.Read().ConnectionsOpened);
        second.HalfClose();
        Assert.Equal("", second.ReceiveToEnd());
        Assert.Equal("then\n", waits.Receive(5));
    }

    [Theory]
    [MemberData(nameof(WithPrograms))]
    public async Task A_program_is_served_beside_handlers(string model)
    {
        Service cat = Service.Run("cat", new ServiceProgram("/bin/cat", []));
        ServerOptions options = Options(model);
        options = options with { Doors = [.. options.Doors, new DoorOptions { Endpoint = "tcp://127.0.0.1:0", Service = cat }] };
        await using Server server = await StartAsync(options);
        using Peer program = new(server.Doors[3].Endpoint);
        Assert.Equal("by the program\n", program.Ask("by the program\n"));
        using Peer handler = new(server.Doors[1].Endpoint);
        Assert.Equal("BY THE HANDLER\n", handler.Ask("by the handler\n"));
        Peer.Eventually(() => server.Connections.Count == 2, "the server has noted whom it gave the connection to");
        ConnectionSnapshot listed = Assert.Single(server.Connections, static connection => connection.ProcessId is not null);
        Assert.Equal(server.Doors[3].Endpoint, listed.Door);
        Assert.True(await server.CloseAsync(listed.Id, CloseMode.Abort).WaitAsync(_patience, TestContext.Current.CancellationToken));
        Assert.Equal("STILL HERE\n", handler.Ask("still here\n"));
        Assert.Equal(1, server.Ledger.Read().Closed(CloseReason.ServerClosed));
        handler.HalfClose();
        await server.DrainAsync(_patience);
        Assert.Equal(0, server.Ledger.Read().ConnectionsOpen);
    }

    [Fact]
    public async Task A_program_that_is_asked_to_end_in_order_is_told_the_end_of_its_input()
    {
        await using Running running = await Running.StartAsync(Service.Run("cat", new ServiceProgram("/bin/cat", [])));
        using Peer peer = running.Connect();
        Assert.Equal("hi\n", peer.Ask("hi\n"));
        Peer.Eventually(() => running.Server.Connections.Count == 1, "the server has noted whom it gave the connection to");
        Task<bool> closed = running.Server.CloseAsync(running.Server.Connections[0].Id);
        Assert.Equal("", peer.ReceiveToEnd());
        peer.Dispose();
        Assert.True(await closed.WaitAsync(_patience, TestContext.Current.CancellationToken));
        Assert.Equal(1, running.Counts.Closed(CloseReason.Completed));
    }

    [Fact]
    public async Task A_model_of_tasks_starts_no_programs_and_says_so()
    {
        ServerOptions options = Options("async");
        Service cat = Service.Run("cat", new ServiceProgram("/bin/cat", []));
        options = options with { Doors = [.. options.Doors, new DoorOptions { Endpoint = "tcp://127.0.0.1:0", Service = cat }] };
        PlatformNotSupportedException refused = await Assert.ThrowsAsync<PlatformNotSupportedException>(() => StartAsync(options));
        Assert.Contains("async", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("thread")]
    [InlineData("async")]
    [InlineData("loop/epoll")]
    public async Task A_successor_that_takes_over_serves_each_service_at_its_door(string model)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await using Server first = await StartAsync(Options(model) with { TakeoverPath = path });
        Endpoint[] doors = [.. first.Doors.Select(static door => door.Endpoint)];
        ServerOptions same = Options(model) with
        {
            TakeoverPath = path,
            Endpoints = [doors[0]],
            Doors =
            [
                new DoorOptions { Endpoint = doors[2], Service = ClassicServices.Echo },
                new DoorOptions { Endpoint = doors[1], Service = ClassicServices.Capitalize },
            ],
        };
        await using Server second = await StartAsync(same);
        Assert.Equal(Environment.ProcessId, second.TookOverFrom);
        await first.RunAsync(_patience, CancellationToken.None).WaitAsync(_patience, TestContext.Current.CancellationToken);
        using Peer echo = new(doors[0]);
        using Peer capitalize = new(doors[1]);
        Assert.Equal("one\n", echo.Ask("one\n"));
        Assert.Equal("TWO\n", capitalize.Ask("two\n"));
        Assert.Equal("three", AskDatagram(doors[2], "three"));
        Peer.Eventually(() => second.Ledger.Read() is { ConnectionsOpened: 2, DatagramsReceived: 1 }, "the second serves them");
    }

    [Fact]
    public async Task Two_services_cannot_share_an_endpoint_even_where_servers_share_ports()
    {
        await using Running other = await Running.StartAsync(ClassicServices.Echo);
        ServerOptions options = new()
        {
            ReusePort = true,
            Doors =
            [
                new DoorOptions { Endpoint = other.Endpoint, Service = ClassicServices.Echo },
                new DoorOptions { Endpoint = other.Endpoint, Service = ClassicServices.Capitalize },
            ],
        };
        ArgumentException refused = await Assert.ThrowsAsync<ArgumentException>(() => StartAsync(options));
        Assert.Contains(other.Endpoint.ToString(), refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Worker processes are the command's, which is given the same services.</summary>
    private static Task<Server> StartAsync(ServerOptions options)
    {
        string? model = options.Model?.Name;
        EngineSettings settings = EngineSettings.Default with
        {
            WorkerCommand = model is "process" or "prefork"
                ? [Running.Command, "doorbell", "serve", "echo", Tcp, "+", "capitalize", Tcp, "+", "echo", Udp, "--model", model]
                : null,
        };
        return Server.StartAsync(options, (kind, of) => EngineChoice.For(kind, of, settings), TestContext.Current.CancellationToken);
    }

    private static ServerOptions Options(string model)
    {
        string name = model.Split('/')[0];
        return new ServerOptions
        {
            Service = ClassicServices.Echo,
            Endpoints = [Tcp],
            Doors =
            [
                new DoorOptions { Endpoint = Tcp, Service = ClassicServices.Capitalize },
                new DoorOptions { Endpoint = Udp, Service = ClassicServices.Echo },
            ],
            Model = ServerModel.Named(name),
            Engine = Models.EngineOf(model),
        };
    }

    private static string AskDatagram(Endpoint door, string text)
    {
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        client.ReceiveTimeout = (int)_patience.TotalMilliseconds;
        client.Connect(door.Host!, door.Port);
        client.Send(Encoding.UTF8.GetBytes(text));
        byte[] answer = new byte[text.Length];
        return Encoding.UTF8.GetString(answer, 0, client.Receive(answer));
    }
}
