using System.Net.Sockets;
using Doorbell.Native;
using Microsoft.Extensions.Logging;

namespace Doorbell.Tests;

/// <summary>
/// The call that an event loop sleeps in fails, which nothing can be done about: the lane ends, and with it the server. Its connections are
/// reset, so that no answer that was cut off looks whole, and counted; what they held is given back.
/// </summary>
[Collection("injects faults")]
public sealed class FailingLaneTests
{
    private const int Places = 100;
    private const int LongAnswer = 6_000_000;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    /// <summary>Once, so that a ring can still be asked to cancel what is under way; or for good, so that it can't.</summary>
    public static TheoryData<string, bool> Failures => new()
    {
        { "loop/epoll", false },
        { "loop/epoll", true },
        { "loop/io_uring", false },
        { "loop/io_uring", true },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task A_lane_that_fails_resets_and_counts_its_connections_and_gives_all_back(string model, bool forGood)
    {
        using LogRecords log = new(LogLevel.Warning);
        int rings = Rings();
        using NthFault once = new(SystemCall.Wait, Libc.InvalidArgument, nth: 1);
        using SeededFaults always = new(1, new Fault(SystemCall.Wait, Libc.InvalidArgument, OneIn: 1));
        Running server = await StartAsync(model, log);
        using Peer idle = Asked(server);
        using Peer deaf = Asked(server);
        using Peer unfinished = Asked(server);
        using Peer wakes = Asked(server);
        deaf.Send($"3 {LongAnswer}\n");
        Assert.True(Sizes.TryExpectSome(deaf));
        unfinished.Send("0 ");
        Peer.Eventually(() => server.Counts.BytesReceived == (4 * 4) + 10 + 2, "all has come");

        ((Action)(forGood ? always.Begin : once.Begin))();
        wakes.Send("0 3\n");
        Task running = server.Server.RunAsync(TimeSpan.Zero, CancellationToken.None);
        NetworkException failure = await Assert.ThrowsAsync<NetworkException>(
            () => running.WaitAsync(_patience, TestContext.Current.CancellationToken));
        SystemCallFaults.Injected = null;
        Assert.Equal("EINVAL", failure.ErrnoName);
        Assert.Contains("a lane", failure.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<NetworkException>(() => server.Server.Completion);

        Array.ForEach([idle, deaf, unfinished, wakes], AssertReset);
        Assert.Equal((4, 4), (server.Counts.ConnectionsOpened, server.Counts.Closed(CloseReason.TransportFailed)));
        Assert.Equal(Places, server.LeasesLeft);
        Assert.DoesNotContain(log.Lines, static line => line.Contains("given back", StringComparison.Ordinal));
        Peer.Eventually(() => Rings() == rings, "no ring is left");
        await AssertPortIsFreeAsync(server.Endpoint, atOnce: !forGood);
    }

    [Theory]
    [InlineData("loop/epoll")]
    [InlineData("loop/io_uring")]
    public async Task A_lane_that_fails_before_it_serves_fails_the_start(string model)
    {
        int rings = Rings();
        using LogRecords log = new(LogLevel.Warning);
        using SeededFaults faults = new(1, new Fault(SystemCall.Watch, Libc.OutOfMemory, OneIn: 1));
        faults.Begin();
        NetworkException failure = await Assert.ThrowsAsync<NetworkException>(() => StartAsync(model, log));
        Assert.Equal("ENOMEM", failure.ErrnoName);
        Peer.Eventually(() => Rings() == rings, "no ring is left");
    }

    private static Task<Running> StartAsync(string model, LogRecords log) => Running.StartAsync(
        Sizes.Service, model: model, maxConnections: Places, change: options => options with
        {
            Model = ServerModel.Loop(1),
            Logging = log,
        });

    /// <summary>A connection that its lane knows.</summary>
    private static Peer Asked(Running server)
    {
        Peer peer = server.Connect();
        Assert.Equal("a\n", peer.Ask("0 1\n", answer: 2));
        return peer;
    }

    /// <summary>A ring that can't be asked any more gives its listener back in the kernel's own time.</summary>
    private static async Task AssertPortIsFreeAsync(Endpoint endpoint, bool atOnce)
    {
        Server? next = null;
        for (DateTime until = DateTime.UtcNow + _patience; next is null;)
        {
            try
            {
                next = await Server.StartAsync(Sizes.Service, endpoint.ToString());
            }
            catch (NetworkException taken) when (!atOnce && taken.Error == SocketError.AddressAlreadyInUse && DateTime.UtcNow < until)
            {
                Thread.Yield();
            }
        }

        await next.DisposeAsync();
    }

    private static void AssertReset(Peer peer)
    {
        byte[] some = new byte[LongAnswer];
        Assert.True(Sizes.IsReset(Assert.Throws<SocketException>(() =>
        {
            while (peer.Socket.Receive(some) > 0)
            {
            }
        })));
    }

    private static int Rings() => Directory.GetFiles("/proc/self/fd")
        .Count(static name => new FileInfo(name).LinkTarget?.Contains("[io_uring]", StringComparison.Ordinal) == true);
}
