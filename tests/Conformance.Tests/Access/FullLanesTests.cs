using Doorbell.Processes.Workers;
using Doorbell.Serving;

namespace Doorbell.Tests;

/// <summary>
/// Models with a fixed number of lanes, one connection each: those at rest make room for connections that wait in the backlog, and no
/// others do.
/// </summary>
public sealed class FullLanesTests
{
    /// <summary>Who could be asked to make room has been, since the lanes look once a second.</summary>
    private static readonly TimeSpan _asked = FullLanes.LeastRest + TimeSpan.FromSeconds(3);

    private static readonly string[] _all = ["iterative", "pool", "prefork"];

    [Fact]
    public Task Silent_peers_in_every_lane_keep_nobody_out_and_as_many_go_as_come() => UnderEachAsync(_all, static async model =>
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, model: model);
        int lanes = ServerModel.Named(model).Lanes;
        using Peer longest = Connect(server, 1);
        Peer[] others = [.. Enumerable.Range(2, lanes - 1).Select(count => Connect(server, count))];
        using Peer newcomer = server.Connect();
        Assert.Equal("HELLO\n", newcomer.Ask("hello\n"));
        Assert.Equal("", longest.ReceiveToEnd());
        Assert.All(others, static (other, number) => Assert.Equal($"STILL {number}\n", other.Ask($"still {number}\n")));
        Peer.Eventually(() => server.Counts.Closed(CloseReason.MadeRoom) == 1, "one has made room, and no more");
        Array.ForEach(others, static other => other.Dispose());
    });

    [Fact]
    public Task Several_that_wait_come_in_together() => UnderEachAsync(["pool", "prefork"], static async model =>
    {
        const int Waiting = 4;
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, model: model);
        Peer[] silent = [.. Enumerable.Range(1, ServerModel.Named(model).Lanes).Select(count => Connect(server, count))];
        Peer[] newcomers = [.. Enumerable.Range(0, Waiting).Select(_ => server.Connect())];
        Array.ForEach(newcomers, static newcomer => newcomer.Send("hello\n"));
        Assert.All(newcomers, static newcomer => Assert.Equal("HELLO\n", newcomer.Receive(6)));
        Assert.Equal(Waiting, server.Counts.Closed(CloseReason.MadeRoom));
        Assert.All([.. silent, .. newcomers], static peer => peer.Dispose());
    });

    [Fact]
    public Task Who_asks_now_and_then_keeps_its_lane_and_so_does_everyone_where_newcomers_are_to_wait() => Task.WhenAll(
        Task.Run(() => KeepTheirLanesAsync("iterative", AtLimit.MakeRoom)),
        Task.Run(() => KeepTheirLanesAsync("prefork", AtLimit.MakeRoom)),
        Task.Run(() => KeepTheirLanesAsync("iterative", AtLimit.LeaveInBacklog)));

    [Fact]
    public void A_worker_makes_room_if_all_have_a_connection_and_too_few_others_have_rested_for_longer()
    {
        using SharedLedgers memory = SharedLedgers.Make(4, []);
        SharedCounts[] workers = [.. Enumerable.Range(0, 4).Select(slot => new SharedCounts(memory, slot, 3))];
        workers[0].Carries(TimeSpan.FromSeconds(20));
        workers[1].Carries(TimeSpan.FromSeconds(10));
        Assert.False(workers[1].IsAmongLongestAtRest(1), "the third is free");
        workers[2].Carries(TimeSpan.FromSeconds(20));
        Assert.Equal([1], Going(1));
        Assert.Equal([0, 1], Going(2));
        Assert.Equal([0, 1, 2], Going(3));
        workers[1].ReleaseAll();
        Assert.Equal([], Going(3));

        int[] Going(int waiting) => [.. Enumerable.Range(0, 3).Where(slot => workers[slot].IsAmongLongestAtRest(waiting))];
    }

    [Fact]
    public void Who_has_rested_for_less_than_the_least_stays()
    {
        OpenConnections connections = new();
        LongestAtRest atRest = new(connections, TimeSpan.FromSeconds(5));
        Resting longer = new(TimeSpan.FromSeconds(5));
        Resting shorter = new(TimeSpan.FromSeconds(4.9));
        connections.Add(longer);
        connections.Add(shorter);
        using SemaphoreSlim places = new(0);
        atRest.Ask(this, null, places, wanted: 2, TimeSpan.FromSeconds(100));
        Assert.NotNull(longer.RoomOrder);
        Assert.Null(shorter.RoomOrder);
    }

    /// <summary>At once: each waits for seconds.</summary>
    private static Task UnderEachAsync(string[] models, Func<string, Task> test) =>
        Task.WhenAll(models.Select(model => Task.Run(() => test(model))));

    private static async Task KeepTheirLanesAsync(string model, AtLimit atLimit)
    {
        const string Line = "a request that has something in it, as the requests of most protocols have\n";
        await using Running server = await Running.StartAsync(
            ClassicServices.Capitalize, model: model, change: options => options with { AtLimit = atLimit });
        Peer[] peers = [.. Enumerable.Range(1, ServerModel.Named(model).Lanes).Select(count => Connect(server, count))];
        using Peer newcomer = server.Connect();
        TimeSpan until = MonotonicClock.Now + _asked;
        while (MonotonicClock.Now < until)
        {
            if (atLimit == AtLimit.MakeRoom)
            {
                Assert.All(peers, static peer => Assert.Equal(Line.ToUpperInvariant(), peer.Ask(Line)));
            }

            await Task.Delay(500);
        }

        Assert.All(peers, static peer => Assert.Equal("HELLO\n", peer.Ask("hello\n")));
        Assert.Equal(0, server.Counts.Closed(CloseReason.MadeRoom));
        Array.ForEach(peers, static peer => peer.Dispose());
    }

    /// <summary>It has its lane when this returns.</summary>
    private static Peer Connect(Running server, int count)
    {
        Peer peer = server.Connect();
        Peer.Eventually(() => server.Counts.ConnectionsOpen == count, "it has a lane");
        return peer;
    }
}
