using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>Processes that serve, and die.</summary>
[Collection("measures this process")]
public sealed class ProcessTests
{
    [Fact]
    public async Task A_process_that_is_killed_closes_its_connection_alone_and_is_counted()
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, model: "process");
        using Peer witness = server.Connect();
        Assert.Equal("BEFORE\n", witness.Ask("before\n"));
        int[] before = ChildProcesses.All();
        using Peer victim = server.Connect();
        Assert.Equal("HERE\n", victim.Ask("here\n"));
        Kill(ChildProcesses.All().Except(before).Single());
        Assert.Equal("", EndOf(victim));
        Assert.Equal("AFTER\n", witness.Ask("after\n"));
        Peer.Eventually(() => server.Counts is { ProcessesLost: 1, ConnectionsOpen: 1 }, "it is counted");
        Assert.Equal(1, server.Counts.Closed(CloseReason.ProcessDied));
    }

    [Fact]
    public async Task A_worker_that_is_killed_is_replaced_and_its_connection_counted()
    {
        int[] others = ChildProcesses.All();
        await using Running server = await Running.StartAsync(
            ClassicServices.Capitalize, model: "prefork", change: static options => options with { Model = ServerModel.Prefork(1) });
        for (int killed = 1; killed <= 3; killed++)
        {
            using Peer victim = server.Connect();
            Assert.Equal("HERE\n", victim.Ask("here\n"));
            Kill(ChildProcesses.All().Except(others).Single());
            Assert.Equal("", EndOf(victim));
            Peer.Eventually(() => server.Counts.ProcessesLost == killed, "it is counted");
        }

        using Peer next = server.Connect();
        Assert.Equal("STILL SERVED\n", next.Ask("still served\n"));
        Assert.Equal(3, server.Counts.Closed(CloseReason.ProcessDied));
        Assert.Equal(1, server.Counts.ConnectionsOpen);
    }

    [Theory]
    [InlineData("process")]
    [InlineData("prefork")]
    public async Task What_processes_counted_is_in_the_servers_ledger_and_none_is_left(string model)
    {
        int[] others = ChildProcesses.All();
        int descriptors = Descriptors();
        Ledger ledger;
        await using (Running server = await Running.StartAsync(ClassicServices.Capitalize, model: model))
        {
            ledger = server.Server.Ledger;
            for (int i = 0; i < 20; i++)
            {
                using Peer peer = server.Connect();
                peer.Send("a\nb\n");
                peer.HalfClose();
                Assert.Equal("A\nB\n", peer.ReceiveToEnd());
            }

            Peer.Eventually(() => server.Counts.ConnectionsOpen == 0, "all are closed");
        }

        LedgerSnapshot counts = ledger.Read();
        Assert.Equal((20, 40, 80, 80), (counts.ConnectionsOpened, counts.Requests, counts.BytesReceived, counts.BytesSent));
        Assert.Equal(0, counts.Errors);
        Assert.Empty(ChildProcesses.All().Except(others));
        Assert.InRange(Descriptors(), 0, descriptors + 2);
    }

    [Fact]
    public async Task A_process_that_can_not_be_made_is_tried_again_and_its_connection_waits()
    {
        string program = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        File.Copy(Running.Command, program);

        // While a file is open for writing the kernel executes it not (ETXTBSY).
        using FileStream writer = new(program, FileMode.Open, FileAccess.ReadWrite);
        await using Running server = await Running.StartAsync(
            ClassicServices.Capitalize, model: "process",
            settings: settings => settings with { WorkerCommand = [program, .. settings.WorkerCommand!.Skip(1)] });
        using Peer peer = server.Connect();
        peer.Send("patient\n");
        Peer.Eventually(() => server.Counts.ProcessesLost >= 2, "it was tried twice");
        writer.Dispose();
        Assert.Equal("PATIENT\n", peer.Receive(8));
        File.Delete(program);
    }

    /// <summary>A connection whose process was killed may end in order or with a reset.</summary>
    private static string EndOf(Peer peer)
    {
        try
        {
            return peer.ReceiveToEnd();
        }
        catch (SocketException reset) when (reset.SocketErrorCode == SocketError.ConnectionReset)
        {
            return "";
        }
    }

    private static void Kill(int id) => System.Diagnostics.Process.GetProcessById(id).Kill();

    private static int Descriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Length;
}
