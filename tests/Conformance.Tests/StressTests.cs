using System.Globalization;
using Doorbell.Native;
using Microsoft.Extensions.Logging;

namespace Doorbell.Tests;

/// <summary>
/// Event loops under peers that ask, trickle, never read, half-close, reset and vanish, of a server that is drained and aborted again and
/// again: every answer is checked, and behind the last nothing is left open, mapped or rented. In a debug build the lanes assert who owns
/// each buffer. <c>STRESS_SECONDS=120</c> makes it as long, for each engine.
/// </summary>
[Collection("measures this process")]
public sealed class StressTests
{
    private const int Clients = 8;
    private const int VisitsOfAServer = 400;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    /// <summary>Another at each run; what fails names it.</summary>
    private static readonly int _seed =
        int.TryParse(Environment.GetEnvironmentVariable("STORM_SEED"), out int seed) ? seed : Random.Shared.Next();

    private static readonly TimeSpan _time = TimeSpan.FromSeconds(
        int.Parse(Environment.GetEnvironmentVariable("STRESS_SECONDS") ?? "0", CultureInfo.InvariantCulture));

    [Theory]
    [InlineData("loop/epoll")]
    [InlineData("loop/io_uring")]
    public async Task Whatever_peers_do_and_whenever_the_server_ends_no_answer_is_wrong_and_nothing_is_left(string model)
    {
        await ServeAsync(model, seed: 0, abort: false);
        Resources before = Resources.Read();
        DateTime end = DateTime.UtcNow + _time;
        int servers = 0;
        long visits = 0;
        while (servers < 4 || DateTime.UtcNow < end)
        {
            visits += await ServeAsync(model, _seed + (servers * Clients), abort: servers % 2 == 1);
            servers++;
        }

        TestContext.Current.SendDiagnosticMessage($"{model}: {visits} visits to {servers} servers, seed {_seed}");
        TestContext.Current.TestOutputHelper?.WriteLine($"{visits} visits to {servers} servers, seed {_seed}");

        // An io_uring is taken down by the kernel in its own time, and what it held with it.
        Peer.Eventually(() => Resources.Read().AreAtMost(before), $"left behind: {Resources.Read()}, before: {before} (seed {_seed})");
    }

    /// <summary>One server from its first connection to its last.</summary>
    private static async Task<long> ServeAsync(string model, int seed, bool abort)
    {
        using LogRecords log = new(LogLevel.Warning);
        string transport = seed % 3 == 0 ? "unix" : "tcp";
        await using Running server = await Running.StartAsync(Sizes.Service, transport, model: model, change: options => options with
        {
            Model = ServerModel.Loop(2),
            MaxConnectionsPerAddress = transport == "tcp" ? 1000 : options.MaxConnectionsPerAddress,
            Logging = log,
        });
        int visits = 0;
        bool ends = false;
        TaskCompletionSource enough = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Task clients = Task.WhenAll(Enumerable.Range(0, Clients).Select(client => RunAsync(() =>
        {
            Random random = new(seed + client);
            while (Interlocked.Increment(ref visits) is var visit && (visit <= VisitsOfAServer || (abort && !Volatile.Read(ref ends))))
            {
                if (visit == VisitsOfAServer)
                {
                    enough.SetResult();
                }

                if (!StressVisit.TryMake(server, random, () => Volatile.Read(ref ends)))
                {
                    return;
                }
            }
        })));
        if (abort)
        {
            // In the middle of it all.
            await (await Task.WhenAny(enough.Task, clients)).WaitAsync(_patience);
            Volatile.Write(ref ends, true);
            await server.Server.DrainAsync(TimeSpan.FromMilliseconds(seed % 7)).WaitAsync(_patience);
        }

        await clients.WaitAsync(_patience);
        await server.Server.DrainAsync(_patience).WaitAsync(_patience);
        LedgerSnapshot counts = server.Counts;
        Assert.True(counts.ConnectionsOpen == 0, $"{counts.ConnectionsOpen} are counted as open (seed {_seed})");
        Assert.Equal((0, 0, 0), (counts.AcceptErrors, counts.Closed(CloseReason.HandlerFault), counts.Closed(CloseReason.TransportFailed)));
        Assert.DoesNotContain(log.Lines, static line => line.Contains("given back", StringComparison.Ordinal));
        return visits;
    }

    private static Task RunAsync(Action client) =>
        Task.Factory.StartNew(client, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>What this process holds of the kernel's.</summary>
    private sealed record Resources(int Sockets, int Events, int Epolls, int Rings, int RingMaps, int BufferRegions)
    {
        public static Resources Read()
        {
            // Null for one that has been closed since, as that of the listing itself.
            string[] open = [.. Directory.GetFiles("/proc/self/fd").Select(static name => new FileInfo(name).LinkTarget ?? "")];
            return new Resources(
                open.Count(static name => name.StartsWith("socket:", StringComparison.Ordinal)),
                open.Count(static name => name.Contains("[eventfd]", StringComparison.Ordinal)),
                open.Count(static name => name.Contains("[eventpoll]", StringComparison.Ordinal)),
                open.Count(static name => name.Contains("[io_uring]", StringComparison.Ordinal)),
                File.ReadLines("/proc/self/maps").Count(static line => line.Contains("[io_uring]", StringComparison.Ordinal)),
                ProvidedBuffers.Regions);
        }

        public bool AreAtMost(Resources before) => Sockets <= before.Sockets && Events <= before.Events && Epolls <= before.Epolls
            && Rings <= before.Rings && RingMaps <= before.RingMaps && BufferRegions <= before.BufferRegions;
    }
}
