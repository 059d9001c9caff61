using System.Net;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>
/// What clients have counted is what the server's ledger says: connections, bytes, requests, datagrams, and each process killed.
/// </summary>
public sealed class CountsTests
{
    private const int Visits = 30;
    private const int Kills = 6;
    private const int Datagrams = 4000;

    /// <summary>A time that no other test gives its workers.</summary>
    private const string Mark = "86399s";

    public static TheoryData<string, string> Streams
    {
        get
        {
            TheoryData<string, string> all = [];
            foreach (string model in (string[])[.. Models.All, "program"])
            {
                all.Add(model, "tcp");
                all.Add(model, "unix");
            }

            return all;
        }
    }

    public static TheoryData<string> OfDatagrams => [.. Models.All, "program"];

    public static TheoryData<string> OfProcesses => ["process", "prefork", "program"];

    /// <summary>Another at each run; what fails names it.</summary>
    private static int Seed { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("STORM_SEED"), out int seed) ? seed : Random.Shared.Next();

    [Theory]
    [MemberData(nameof(Streams))]
    public async Task Connections_and_bytes_are_those_that_the_clients_counted(string model, string transport)
    {
        await using Running running = await StartAsync(model, transport);
        Random random = new(Seed);
        long bytes = 0;
        long lines = 0;
        for (int i = 0; i < Visits; i++)
        {
            using Peer peer = running.Connect();
            for (int ask = random.Next(4); ask > 0; ask--)
            {
                string line = new string('x', random.Next(3000)) + "\n";
                Assert.Equal(line, peer.Ask(line));
                bytes += line.Length;
                lines++;
            }

            if (random.Next(3) == 0)
            {
                peer.Reset();
            }
            else
            {
                peer.HalfClose();
                Assert.Equal("", peer.ReceiveToEnd());
            }
        }

        // Before a reset was noticed the connection may not even have been accepted.
        Peer.Eventually(
            () => running.Counts is { ConnectionsOpened: Visits, ConnectionsOpen: 0 }, $"all are counted and closed (seed {Seed})");
        LedgerSnapshot counts = running.Counts;
        bool isUnknown = model == "program" && transport == "unix";
        Assert.Equal(isUnknown ? (0, 0) : (bytes, bytes), (counts.BytesReceived, counts.BytesSent));
        Assert.True(model == "program" || counts.Requests == lines || counts.Requests == 0, $"{counts.Requests} of {lines}, seed {Seed}");
        Assert.Equal(0, counts.ProcessesLost);
    }

    [Theory]
    [MemberData(nameof(OfDatagrams))]
    public async Task Datagrams_are_received_or_counted_as_dropped_to_the_last_one(string model)
    {
        Func<ServerOptions, ServerOptions> smallBuffer = static options => options with
        {
            SocketOptions = [Doorbell.SocketOptions.SocketOptionSetting.Parse("SO_RCVBUF=5000")],
        };
        await using Running running = await StartAsync(model, "udp", smallBuffer);
        int count = model == "program" ? Datagrams / 20 : Datagrams;
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        client.Connect(IPAddress.Loopback, running.Endpoint.Port);
        byte[] datagram = new byte[100];
        for (int i = 0; i < count; i++)
        {
            client.Send(datagram);
        }

        Peer.Eventually(
            () => running.Counts is { } counts && counts.DatagramsReceived + counts.Dropped(DatagramDrop.ReceiveBufferFull) == count,
            "received and dropped are what was sent");
        Assert.True(running.Counts.Dropped(DatagramDrop.ReceiveBufferFull) > 0);
        await running.Server.DisposeAsync();
        LedgerSnapshot last = running.Counts;
        Assert.Equal(count, last.DatagramsReceived + last.Dropped(DatagramDrop.ReceiveBufferFull));
    }

    [Theory]
    [MemberData(nameof(OfProcesses))]
    public async Task A_process_that_is_killed_is_one_error_and_ends_the_connection_it_had(string model)
    {
        await using Running running = await StartAsync(model, "tcp");
        Random random = new(Seed);
        long bytes = 0;
        HashSet<int> killed = [];
        for (int kill = 1; kill <= Kills; kill++)
        {
            using Peer peer = running.Connect();
            string line = new string('x', random.Next(3000)) + "\n";
            if (random.Next(3) > 0)
            {
                Assert.Equal(line, peer.Ask(line));
                bytes += line.Length;
                Peer.Eventually(() => model == "program" || running.Counts.BytesSent == bytes, "the answer is counted");
            }

            int[] processes = [];
            Peer.Eventually(
                () => (processes = [.. ProcessesOf(running, model).Except(killed)]).Length > 0 &&
                    (model != "prefork" || running.Counts.ConnectionsOpen > 0),
                "it is open");
            int process = processes[random.Next(processes.Length)];
            killed.Add(process);
            Kill(process);
            Peer.Eventually(() => running.Counts.ProcessesLost == kill, $"the process is counted (seed {Seed})");
            LedgerSnapshot now = running.Counts;
            if (model == "prefork" && now.ConnectionsOpen > 0)
            {
                // It was another's.
                Assert.Equal("a\n", peer.Ask("a\n"));
                bytes += 2;
                peer.HalfClose();
            }

            Assert.Equal("", ReceiveToEndOrReset(peer));
            Peer.Eventually(() => running.Counts.ConnectionsOpen == 0, $"it is closed (seed {Seed})");
        }

        LedgerSnapshot counts = running.Counts;
        long ended = counts.Closed(CloseReason.ProcessDied);
        Assert.Equal((Kills, Kills), (counts.ProcessesLost, counts.Errors));
        Assert.Equal((Kills, Kills), (counts.ConnectionsOpened, counts.Closed(CloseReason.Completed) + ended));
        Assert.True(model == "prefork" || ended == Kills, $"{ended}, seed {Seed}");
        Assert.Equal((bytes, bytes), (counts.BytesReceived, counts.BytesSent));
    }

    private static Task<Running> StartAsync(string model, string transport, Func<ServerOptions, ServerOptions>? change = null) =>
        model == "program"
            ? Running.StartAsync(Service.Run("cat", new ServiceProgram("cat", [])), transport, change: change)
            : Running.StartAsync(
                ClassicServices.Echo, transport, model: model, change: change,
                workerArguments: model is "prefork" && transport == "tcp" ? ["--max-lifetime", Mark] : []);

    /// <summary>A process that dies with unread input resets its connection.</summary>
    private static string ReceiveToEndOrReset(Peer peer)
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

    /// <summary>The server's workers, known by an argument of theirs, or the processes of its connections.</summary>
    private static int[] ProcessesOf(Running running, string model) => model != "prefork"
        ? [.. running.Server.Connections.Select(static connection => connection.ProcessId).OfType<int>()]
        : [.. ChildProcesses.All().Where(static pid => ChildProcesses.CommandLine(pid).Contains(Mark, StringComparison.Ordinal))];

    private static void Kill(int process)
    {
        using System.Diagnostics.Process running = System.Diagnostics.Process.GetProcessById(process);
        running.Kill();
    }
}
