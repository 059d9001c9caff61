using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>These run alone, since they look at the whole process's memory and descriptors.</summary>
[CollectionDefinition("measures this process", DisableParallelization = true)]
public sealed class MeasuresThisProcess;

/// <summary>Much data, many connections, peers that don't take their answers: nothing may grow.</summary>
[Collection("measures this process")]
public sealed class StreamLoadTests
{
    private const long Megabyte = 1024 * 1024;

    public static TheoryData<string, string> Services => new MatrixTheoryData<string, string>(["capitalize", "echo"], ["tcp", "unix"]);

    [Theory]
    [MemberData(nameof(Services))]
    public async Task Two_hundred_megabytes_pass_both_ways_without_growth(string service, string transport)
    {
        const long total = 200 * Megabyte;
        await using Running server = await Running.StartAsync(
            service == "echo" ? ClassicServices.Echo : ClassicServices.Capitalize, transport);
        using Peer peer = server.Connect();
        Task sending = Task.Factory.StartNew(
            () =>
            {
                byte[] chunk = Enumerable.Repeat("abcdefghijklmno\n"u8.ToArray(), 4096).SelectMany(static line => line).ToArray();
                for (long sent = 0; sent < total; sent += chunk.Length)
                {
                    peer.Send(chunk);
                }

                peer.HalfClose();
            },
            TestContext.Current.CancellationToken,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        byte[] buffer = new byte[65536];
        byte[] expected = service == "echo" ? "abcdefghijklmno\n"u8.ToArray() : "ABCDEFGHIJKLMNO\n"u8.ToArray();
        long received = 0;
        long before = GC.GetTotalMemory(forceFullCollection: true);
        int count;
        while ((count = peer.Socket.Receive(buffer)) > 0)
        {
            for (int i = 0; i < count; i++)
            {
                if (buffer[i] != expected[(received + i) % expected.Length])
                {
                    Assert.Fail($"byte {received + i} is wrong");
                }
            }

            received += count;
        }

        await sending;
        Assert.Equal(total, received);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 8 * Megabyte);
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task A_peer_that_never_reads_is_held_back_and_costs_bounded_memory(string transport)
    {
        await using Running server = await Running.StartAsync(ClassicServices.Echo, transport);
        using Peer peer = server.Connect();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        peer.Socket.Blocking = false;
        byte[] chunk = new byte[65536];
        long sent = 0;
        int quiet = 0;
        while (quiet < 200)
        {
            int count = peer.Socket.Send(chunk, SocketFlags.None, out SocketError error);
            sent += count;
            quiet = error == SocketError.WouldBlock ? quiet + 1 : 0;
            Assert.InRange(sent, 0, 64 * Megabyte);
            if (quiet > 0)
            {
                peer.Socket.Poll(1000, SelectMode.SelectWrite);
            }
        }

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 4 * Megabyte);
        using Peer other = server.Connect();
        Assert.Equal("served", other.Ask("served"));
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task Ten_thousand_connections_leave_no_descriptor(string transport)
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, transport);
        using (Peer warm = server.Connect())
        {
            warm.Ask("warm\n");
        }

        Peer.Eventually(() => server.Counts.ConnectionsOpen == 0, "the first is closed");
        int before = Descriptors();
        for (int i = 0; i < 10_000; i++)
        {
            using Peer peer = server.Connect();
            if (i % 3 == 0)
            {
                Assert.Equal("X\n", peer.Ask("x\n"));
            }

            if (i % 3 == 1)
            {
                peer.Reset();
            }
        }

        Peer.Eventually(() => server.Counts.ConnectionsOpened == 10_001 && server.Counts.ConnectionsOpen == 0, "all are closed");
        Assert.InRange(Descriptors(), 0, before + 5);
    }

    private static int Descriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Length;
}
