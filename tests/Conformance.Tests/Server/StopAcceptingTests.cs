using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>A server that accepts no more goes on with what it has.</summary>
public sealed class StopAcceptingTests
{
    public static TheoryData<string> All => Models.Only(Models.All);

    public static TheoryData<string> AtOnce => Models.Only(["process", "thread", "async", "loop/epoll", "loop/io_uring"]);

    [Theory]
    [MemberData(nameof(AtOnce))]
    public async Task Who_comes_later_is_refused_and_who_is_there_stays(string model)
    {
        await using Running running = await Running.StartAsync(ClassicServices.Echo, model: model);
        using Peer peer = running.Connect();
        Assert.Equal("before\n", peer.Ask("before\n"));
        await running.Server.StopAcceptingAsync();
        await running.Server.StopAcceptingAsync();
        SocketException refused = Assert.Throws<SocketException>(() => running.Connect());
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
        Assert.Equal("after\n", peer.Ask("after\n"));
        Assert.False(running.Server.Completion.IsCompleted);
        peer.HalfClose();
        Assert.Equal("", peer.ReceiveToEnd());
        await running.Server.Completion.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal(1, running.Counts.Closed(CloseReason.Completed));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task What_waits_in_the_backlog_is_served_first(string model)
    {
        const int Waiting = 20;
        await using Running running = await Running.StartAsync(ClassicServices.Echo, model: model);
        Peer[] peers = [.. Enumerable.Range(0, Waiting).Select(_ => running.Connect())];
        Task stopped = running.Server.StopAcceptingAsync();
        foreach (Peer peer in peers)
        {
            Assert.Equal("hi\n", peer.Ask("hi\n"));
            peer.HalfClose();
            Assert.Equal("", peer.ReceiveToEnd());
            peer.Dispose();
        }

        await stopped.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        await running.Server.Completion.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal(Waiting, running.Counts.ConnectionsOpened);
        Assert.Equal(Waiting, running.Counts.Closed(CloseReason.Completed));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Datagram_sockets_go_on(string model)
    {
        await using Running running = await Running.StartAsync(ClassicServices.Echo, "udp", model: model);
        await running.Server.StopAcceptingAsync();
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 20_000 };
        client.Connect("127.0.0.1", running.Endpoint.Port);
        client.Send("hi"u8);
        byte[] answer = new byte[16];
        Assert.Equal(2, client.Receive(answer));
        Assert.False(running.Server.Completion.IsCompleted);
    }

    [Theory]
    [MemberData(nameof(AtOnce))]
    public async Task A_drain_that_follows_ends_the_rest(string model)
    {
        await using Running running = await Running.StartAsync(ClassicServices.Echo, model: model);
        using Peer peer = running.Connect();
        Assert.Equal("hi\n", peer.Ask("hi\n"));
        await running.Server.StopAcceptingAsync();
        await running.Server.StopAsync(TimeSpan.FromSeconds(20));
        Assert.Equal("", peer.ReceiveToEnd());
        Assert.Equal(1, running.Counts.Closed(CloseReason.Completed));
    }
}
