using System.Net;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>A server lists its connections, and closes those it is asked to.</summary>
public sealed class ConnectionsTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    public static TheoryData<string> Here => Models.Only(Models.Here);

    public static TheoryData<string> Many => Models.Only(Models.Many);

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_connection_is_listed_with_who_it_is_and_what_it_has_moved(string model)
    {
        await using Running running = await Running.StartAsync(ClassicServices.Echo, model: model);
        Assert.Empty(running.Server.Connections);
        using (Peer peer = running.Connect())
        {
            Assert.Equal("hello\n", peer.Ask("hello\n"));
            Peer.Eventually(() => running.Server.Connections is [{ BytesSent: 6 }], "what was sent is counted");
            ConnectionSnapshot listed = Assert.Single(running.Server.Connections);
            Assert.True(listed.Id > 0);
            Assert.Equal(running.Endpoint, listed.Door);
            Assert.Equal(PeerAddress.From((IPEndPoint)peer.Socket.LocalEndPoint!), listed.Peer);
            Assert.Equal(PeerAddress.From((IPEndPoint)peer.Socket.RemoteEndPoint!), listed.Local);
            Assert.Equal(6, listed.BytesReceived);
            Assert.Equal(ConnectionState.Reading, listed.State);
            Assert.InRange(listed.Age, TimeSpan.Zero, _patience);
            Assert.InRange(listed.Idle!.Value, TimeSpan.Zero, listed.Age);
            Assert.Null(listed.ProcessId);
        }

        Peer.Eventually(() => running.Server.Connections.Count == 0, "it is over");
    }

    [Fact]
    public async Task A_connection_of_a_process_is_listed_with_the_process()
    {
        await using Running running = await Running.StartAsync(ClassicServices.Echo, model: "process");
        using Peer peer = running.Connect();
        Assert.Equal("hello\n", peer.Ask("hello\n"));
        Peer.Eventually(() => running.Server.Connections.Count == 1, "the server has noted whom it gave the connection to");
        ConnectionSnapshot listed = Assert.Single(running.Server.Connections);
        Assert.Equal(PeerAddress.From((IPEndPoint)peer.Socket.LocalEndPoint!), listed.Peer);
        Assert.Equal(ConnectionState.InProcess, listed.State);
        Assert.True(Directory.Exists($"/proc/{listed.ProcessId}"));
        Task<bool> closed = running.Server.CloseAsync(listed.Id, CloseMode.Abort);
        Assert.True(await closed.WaitAsync(_patience, TestContext.Current.CancellationToken));
        Assert.Equal(0, peer.Socket.Receive(new byte[1]));
        Assert.Empty(running.Server.Connections);
        Assert.Equal(1, running.Counts.Closed(CloseReason.ServerClosed));
        Assert.Equal(0, running.Counts.ProcessesLost);
    }

    [Fact]
    public async Task The_workers_of_prefork_accept_by_themselves_and_the_server_says_so()
    {
        await using Running running = await Running.StartAsync(ClassicServices.Echo, model: "prefork");
        NotSupportedException refused = Assert.Throws<NotSupportedException>(() => running.Server.Connections);
        Assert.Contains("prefork", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<NotSupportedException>(() => running.Server.CloseAsync(1));
    }

    [Theory]
    [MemberData(nameof(Many))]
    public async Task Those_that_match_are_aborted_and_the_others_stay(string model)
    {
        await using Running running = await Running.StartAsync(ClassicServices.Echo, model: model);
        using Peer stays = running.Connect();
        using Peer first = running.Connect();
        using Peer second = running.Connect();
        PeerAddress staying = PeerAddress.From((IPEndPoint)stays.Socket.LocalEndPoint!);
        foreach (Peer peer in new[] { stays, first, second })
        {
            Assert.Equal("hi\n", peer.Ask("hi\n"));
        }

        int closed = await running.Server.CloseAsync(connection => connection.Peer != staying, CloseMode.Abort)
            .WaitAsync(_patience, TestContext.Current.CancellationToken);
        Assert.Equal(2, closed);
        Assert.Equal(2, running.Counts.Closed(CloseReason.ServerClosed));
        Assert.Throws<SocketException>(() => first.ReceiveToEnd());
        Assert.Throws<SocketException>(() => second.ReceiveToEnd());
        Assert.Equal("still here\n", stays.Ask("still here\n"));
        Assert.Equal(staying, Assert.Single(running.Server.Connections).Peer);
        Assert.Equal(0, running.Counts.Errors);
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task In_order_what_is_in_flight_is_answered_before_the_connection_ends(string model)
    {
        Service later = new("later") { NewStreamHandler = static _ => new Later() };
        await using Running running = await Running.StartAsync(later, model: model);
        using Peer peer = running.Connect();
        peer.Send("ask");
        Peer.Eventually(() => running.Server.Connections is [{ State: ConnectionState.Parked }], "the handler works");
        long id = running.Server.Connections[0].Id;
        Task<bool> closed = running.Server.CloseAsync(id);
        peer.HalfClose();
        Assert.Equal("told, answered", peer.ReceiveToEnd());
        Assert.True(await closed.WaitAsync(_patience, TestContext.Current.CancellationToken));
        Assert.Equal(1, running.Counts.Closed(CloseReason.Completed));
        Assert.False(await running.Server.CloseAsync(id));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task One_that_is_idle_ends_at_once_though_its_lane_sleeps(string model)
    {
        await using Running running = await Running.StartAsync(ClassicServices.Echo, model: model);
        using Peer peer = running.Connect();
        Assert.Equal("hi\n", peer.Ask("hi\n"));
        Task<bool> closed = running.Server.CloseAsync(running.Server.Connections[0].Id);
        Assert.Equal("", peer.ReceiveToEnd());
        peer.Dispose();
        Assert.True(await closed.WaitAsync(_patience, TestContext.Current.CancellationToken));
    }

    [Theory]
    [MemberData(nameof(Many))]
    public async Task They_may_be_listed_and_closed_while_others_come_and_go(string model)
    {
        await using Running running = await Running.StartAsync(ClassicServices.Echo, model: model);
        using CancellationTokenSource over = new();
        Task[] guests = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < 300; i++)
            {
                try
                {
                    using Peer peer = running.Connect();
                    peer.Send("hi\n");
                    peer.Receive(3);
                }
                catch (SocketException)
                {
                    // It was aborted.
                }
            }
        }))];
        Task admin = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                await running.Server.CloseAsync(static connection => connection.Id % 3 == 0, CloseMode.Abort);
                await running.Server.CloseAsync(static connection => connection.Id % 3 == 1, CloseMode.Orderly);
            }
        });
        await Task.WhenAll(guests);
        await over.CancelAsync();
        await admin.WaitAsync(_patience, TestContext.Current.CancellationToken);
        Peer.Eventually(() => running.Counts.ConnectionsOpen == 0, "all are over");
        Assert.Empty(running.Server.Connections);
    }

    /// <summary>Answers when it has been told of the drain.</summary>
    private sealed class Later : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => Step.Park(input.Length);

        public override Next OnDrain(Turn turn)
        {
            turn.Output.Write("told, "u8);
            turn.Alarm = turn.Now + TimeSpan.FromMilliseconds(20);
            return Next.Stay;
        }

        public override Next OnAlarm(Turn turn)
        {
            turn.Output.Write("answered"u8);
            return Next.More;
        }
    }
}
