using System.Net;
using System.Net.Sockets;
using Doorbell.Native;

namespace Doorbell.Tests;

/// <summary>A lane that can't go on says so; one that can is held by no peer.</summary>
public sealed class LaneFailureTests
{
    /// <summary>F_DUPFD of fcntl(2).</summary>
    private const int DuplicateDescriptor = 0;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    public static TheoryData<string> Here => [.. Models.Here];

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_listener_that_fails_ends_the_server_though_a_connection_is_open(string model)
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        int copy = Libc.fcntl((int)listener.Handle, DuplicateDescriptor, 0);
        Server server = await Server.StartAsync(new ServerOptions
        {
            Service = ClassicServices.Capitalize,
            Endpoints = [Endpoint.Parse($"fd://{copy}"), Endpoint.Parse("tcp://127.0.0.1:0")],
            Model = ServerModel.Named(model.Split('/')[0]),
            Engine = Models.EngineOf(model),
        });
        using Peer peer = new(server.Doors[0].Endpoint);
        Assert.Equal("A\n", peer.Ask("a\n"));
        Task running = server.RunAsync(TimeSpan.FromMilliseconds(100), CancellationToken.None);
        listener.Shutdown(SocketShutdown.Both);
        if (model == "iterative")
        {
            // Its only lane looks at its listeners when it has nobody to serve.
            peer.Dispose();
        }

        await Assert.ThrowsAsync<NetworkException>(() => running.WaitAsync(_patience, TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<NetworkException>(() => server.Completion);
        Assert.Equal(0, server.Ledger.Read().ConnectionsOpen);
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_datagram_peer_that_does_not_read_is_not_waited_for(string model)
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, "unix+dgram", model: model);
        using Socket deaf = Datagrams();
        UnixDomainSocketEndPoint door = new(server.Endpoint.Path!);
        for (int i = 0; i < 100; i++)
        {
            deaf.SendTo("asks and asks"u8, door);
        }

        using Socket other = Datagrams();
        other.SendTo("hello"u8, door);
        byte[] answer = new byte[100];
        Assert.Equal(5, other.Receive(answer));
        await server.Server.DrainAsync(_patience).WaitAsync(_patience, TestContext.Current.CancellationToken);
    }

    private static Socket Datagrams()
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.SendTimeout = socket.ReceiveTimeout = (int)_patience.TotalMilliseconds;
        socket.Bind(new UnixDomainSocketEndPoint("\0doorbell-" + Guid.NewGuid()));
        return socket;
    }
}
