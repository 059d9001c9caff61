using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Doorbell.Sockets;

namespace Doorbell.Tests;

/// <summary>A door has one listener, whatever the model: nobody else joins its port, and its clients are served in their order.</summary>
public sealed class ListenerTests
{
    private const int Clients = 120;

    public static TheoryData<string> Loops => ["epoll", "io_uring"];

    [Theory]
    [MemberData(nameof(All))]
    public async Task Nobody_joins_a_port_that_its_owner_does_not_share(string model)
    {
        await using Running running = await Running.StartAsync(ClassicServices.Echo, "tcp", model: model);
        IPEndPoint address = new(IPAddress.Loopback, running.Endpoint.Port);
        Assert.Equal(SocketError.AddressAlreadyInUse, Join(address));
        NetworkException refused = await Assert.ThrowsAsync<NetworkException>(() => Server.StartAsync(
            new ServerOptions { Service = ClassicServices.Echo, Endpoints = [running.Endpoint], ReusePort = true }));
        Assert.Equal(SocketError.AddressAlreadyInUse, refused.Error);
    }

    [Theory]
    [MemberData(nameof(Loops))]
    public async Task One_that_its_owner_shares_can_be_joined(string engine)
    {
        await using Running running = await Running.StartAsync(
            ClassicServices.Echo, "tcp", model: $"loop/{engine}", change: static options => options with { ReusePort = true });
        Assert.Null(Join(new IPEndPoint(IPAddress.Loopback, running.Endpoint.Port)));
    }

    [Theory]
    [MemberData(nameof(Loops))]
    public async Task Clients_beyond_the_limit_are_served_in_their_order(string engine)
    {
        ServerOptions options = new()
        {
            Service = ClassicServices.Echo, Endpoints = [Endpoint.Parse("tcp://127.0.0.1:0")], Model = ServerModel.Loop(4),
            Engine = Models.EngineOf($"loop/{engine}"), MaxConnections = 1,
        };
        await using Server server = await Server.StartAsync(options, TestContext.Current.CancellationToken);
        List<TcpClient> clients = [];
        for (int i = 0; i < 12; i++)
        {
            clients.Add(new TcpClient("127.0.0.1", server.Doors[0].Endpoint.Port) { ReceiveTimeout = 20_000 });
            clients[i].GetStream().Write("hello\n"u8);
        }

        foreach (TcpClient client in clients)
        {
            client.GetStream().ReadExactly(new byte[6]);
            client.Dispose();
        }
    }

    [Theory]
    [MemberData(nameof(Loops))]
    public async Task Connections_that_come_while_all_loops_sleep_are_spread_over_them(string engine)
    {
        ConcurrentBag<int> threads = [];
        Service service = new("threads") { NewStreamHandler = _ => new ThreadHandler(threads) };
        ServerOptions options = new()
        {
            Service = service, Endpoints = [Endpoint.Parse("tcp://127.0.0.1:0")], Model = ServerModel.Loop(3),
            Engine = Models.EngineOf($"loop/{engine}"),
        };
        await using Server server = await Server.StartAsync(options, TestContext.Current.CancellationToken);
        List<TcpClient> clients = [];
        for (int i = 0; i < Clients; i++)
        {
            clients.Add(new TcpClient("127.0.0.1", server.Doors[0].Endpoint.Port) { ReceiveTimeout = 20_000 });
            clients[i].GetStream().ReadExactly(new byte[1]);
        }

        int[] each = [.. threads.CountBy(static thread => thread).Select(static count => count.Value)];
        clients.ForEach(static client => client.Dispose());
        Assert.True(each.Length == 3 && each.Min() >= Clients / 12, $"one after the other, they went {string.Join(", ", each)}");
    }

    public static TheoryData<string> All() => [.. Models.All];

    /// <summary>As another program of the same user could: why it can't, or null.</summary>
    private static SocketError? Join(IPEndPoint address)
    {
        using Socket other = new(address.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        RawOptions.SetReusePort(other, "tcp://127.0.0.1:0");
        RawOptions.SetReuseAddress(other);
        try
        {
            other.Bind(address);
            other.Listen();
            return null;
        }
        catch (SocketException refused)
        {
            return refused.SocketErrorCode;
        }
    }

    private sealed class ThreadHandler(ConcurrentBag<int> threads) : StreamHandler
    {
        public override Next OnOpen(Turn turn)
        {
            threads.Add(Environment.CurrentManagedThreadId);
            turn.Output.Write("x"u8);
            return Next.Stay;
        }

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => Step.More(input.Length);
    }
}
