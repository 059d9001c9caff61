using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>What every capitaliser does for every peer, however it is written and whatever carries it.</summary>
public sealed class StreamBehaviourTests
{
    public static TheoryData<string, string, string> All => Models.Matrix(Models.All);

    /// <summary>Under these, several connections are served at once.</summary>
    public static TheoryData<string, string, string> AtOnce => Models.Matrix(Models.AtOnce);

    /// <summary>Under these, as many as may be.</summary>
    public static TheoryData<string, string, string> Many => Models.Matrix(Models.Many);

    /// <summary>Under these, a fixed number.</summary>
    public static TheoryData<string, string, string> InTurn => Models.Matrix(Models.InTurn);

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_line_is_answered_and_the_connection_stays(string service, string transport, string model)
    {
        await using Running server = await StartAsync(service, transport, model);
        using Peer peer = server.Connect();
        Assert.Equal("HELLO\n", peer.Ask("hello\n"));
        Assert.Equal("AGAIN\r\n", peer.Ask("again\r\n"));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_half_close_ends_the_last_line_and_gets_the_whole_answer(string service, string transport, string model)
    {
        await using Running server = await StartAsync(service, transport, model);
        using Peer peer = server.Connect();
        peer.Send("one\ntwo\nthree");
        peer.HalfClose();
        Assert.Equal("ONE\nTWO\nTHREE", peer.ReceiveToEnd());
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_writer_of_single_bytes_is_answered_when_its_line_is_whole(string service, string transport, string model)
    {
        await using Running server = await StartAsync(service, transport, model);
        using Peer peer = server.Connect();
        foreach (byte b in "byte by byte\n"u8.ToArray())
        {
            peer.Send([b]);
        }

        Assert.Equal("BYTE BY BYTE\n", peer.Receive(13));
    }

    [Theory]
    [MemberData(nameof(AtOnce))]
    public async Task A_reset_at_any_stage_ends_that_connection_alone(string service, string transport, string model)
    {
        await using Running server = await StartAsync(service, transport, model);
        using Peer witness = server.Connect();
        Assert.Equal("BEFORE\n", witness.Ask("before\n"));
        foreach (string stage in new[] { "", "half a li", "line\n", "line\nhalf" })
        {
            using Peer rude = server.Connect();
            rude.Send(stage);
            rude.Reset();
        }

        using (Peer rude = server.Connect())
        {
            rude.Send("line\n");
            rude.Receive(2);
            rude.Reset();
        }

        using (Peer rude = server.Connect())
        {
            // Until the server can't send its answers any more.
            rude.Socket.Blocking = false;
            byte[] lines = [.. Enumerable.Repeat("x\n"u8.ToArray(), 30_000).SelectMany(static line => line)];
            while (rude.Socket.Send(lines, SocketFlags.None, out SocketError error) > 0 || error == SocketError.Success)
            {
            }

            rude.Reset();
        }

        Assert.Equal("AFTER\n", witness.Ask("after\n"));
        Peer.Eventually(() => server.Counts.ConnectionsOpen == 1, "the rude connections are gone");
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Garbage_is_answered_with_as_much_garbage(string service, string transport, string model)
    {
        await using Running server = await StartAsync(service, transport, model);
        using Peer peer = server.Connect();
        byte[] garbage = new byte[100_000];
        new Random(7).NextBytes(garbage);
        Task sending = Task.Run(() =>
        {
            peer.Send(garbage);
            peer.HalfClose();
        });
        using MemoryStream answer = new();
        byte[] buffer = new byte[65536];
        int count;
        while ((count = peer.Socket.Receive(buffer)) > 0)
        {
            answer.Write(buffer, 0, count);
        }

        await sending;
        System.Buffers.ArrayBufferWriter<byte> expected = new();
        UpperCase.Unicode(garbage, expected, isFinal: true);
        Assert.Equal(expected.WrittenSpan.ToArray(), answer.ToArray());
    }

    [Theory]
    [MemberData(nameof(Many))]
    public async Task A_thousand_connections_at_once_are_all_served(string service, string transport, string model)
    {
        await using Running server = await StartAsync(service, transport, model);
        List<Peer> peers = [];
        try
        {
            for (int i = 0; i < 1000; i++)
            {
                peers.Add(server.Connect());
            }

            peers.ForEach(static peer => peer.Send("hello\n"));
            peers.ForEach(static peer => Assert.Equal("HELLO\n", peer.Receive(6)));
            Peer.Eventually(() => server.Counts.ConnectionsOpen == 1000, "a thousand are open");
        }
        finally
        {
            peers.ForEach(static peer => peer.Dispose());
        }

        Peer.Eventually(() => server.Counts.ConnectionsOpen == 0, "all are closed");
    }

    [Trait("Needs", "Linux")]
    [Theory]
    [MemberData(nameof(InTurn))]
    public async Task Hundreds_that_wait_in_the_backlog_are_served_in_turn(string service, string transport, string model)
    {
        await using Running server = await StartAsync(service, transport, model);
        List<Peer> peers = [.. Enumerable.Range(0, 200).Select(_ => server.Connect())];
        peers.ForEach(static peer => peer.Send("hello\n"));
        foreach (Peer peer in peers)
        {
            // The next one's turn comes when this one ends.
            Assert.Equal("HELLO\n", peer.Receive(6));
            peer.Dispose();
        }

        Peer.Eventually(() => server.Counts is { ConnectionsOpened: 200, ConnectionsOpen: 0 }, "all are closed");
    }

    [Theory]
    [MemberData(nameof(AtOnce))]
    public async Task A_drain_answers_what_is_in_flight_closes_what_is_idle_and_ends(string service, string transport, string model)
    {
        await using Running server = await StartAsync(service, transport, model);
        using Peer idle = server.Connect();
        Assert.Equal("IDLE\n", idle.Ask("idle\n"));
        using Peer busy = server.Connect();
        busy.Send("in flight\n");
        Peer.Eventually(() => server.Counts.BytesReceived == 15, "the request has arrived");
        Task drained = server.Server.DrainAsync(TimeSpan.FromSeconds(20));
        Assert.Equal("", idle.ReceiveToEnd());
        Assert.Equal("IN FLIGHT\n", busy.ReceiveToEnd());
        idle.Dispose();
        busy.Dispose();
        await drained.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.Equal(2, server.Counts.Closed(CloseReason.Completed));
    }

    internal static Task<Running> StartAsync(string service, string transport, string model = "async") => Running.StartAsync(
        service switch
        {
            "handler" => ClassicServices.Capitalize,
            "delay" => PipeServices.WithDelay,
            _ => PipeServices.WithFile,
        },
        transport,
        model: model);
}
