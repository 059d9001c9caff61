using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>A server that is killed (SIGKILL) leaves no process behind.</summary>
public sealed class KilledServerTests
{
    /// <summary>One that ends at SIGTERM, one that ignores it, each with children; and one that has replaced itself.</summary>
    public static TheoryData<string> Programs =>
    [
        "echo $$; cat",
        "echo $$; sleep 1000 & sleep 1000 & cat | cat; wait",
        "trap '' TERM HUP INT; echo $$; (trap '' TERM; sleep 1000) & while :; do sleep 1000; done",
        "echo $$; exec sleep 1000",
        "echo $$; exec <&- >&- 2>&-; sleep 1000",
        "(sleep 1000 & sleep 1000) & echo $$",
    ];

    [Theory]
    [MemberData(nameof(Programs))]
    public void Programs_and_what_they_have_started_end_with_it(string program)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "tcp://127.0.0.1:0", "--shell", program);
        using (server)
        {
            Socket[] clients = [.. Enumerable.Range(0, 4).Select(_ => Connect(endpoint))];
            int[] groups = [.. clients.Select(ReadNumber)];
            Assert.All(groups, static group => Assert.NotEmpty(MembersOf(group)));
            Kill(server, groups);
            Waiting.Until(() => groups.All(static group => MembersOf(group).Length == 0), "every process has ended");
            Array.ForEach(clients, static client => client.Dispose());
        }
    }

    [Fact]
    public void Programs_of_datagrams_end_with_it()
    {
        string file = Path.GetTempFileName();
        (Program server, Endpoint endpoint) = Doorbells.Serve(
            "native", "udp://127.0.0.1:0", "--shell", $"echo $$ >> {file}; sleep 1000 & sleep 1000; wait");
        using (server)
        {
            using Socket client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            client.Connect(IPAddress.Loopback, endpoint.Port);
            client.Send("1"u8);
            client.Send("2"u8);
            Waiting.Until(() => File.ReadAllLines(file).Length == 2, "both run");
            int[] groups = [.. File.ReadAllLines(file).Select(int.Parse)];
            Kill(server, groups);
            Waiting.Until(() => groups.All(static group => MembersOf(group).Length == 0), "every process has ended");
        }

        File.Delete(file);
    }

    [Theory]
    [InlineData("process")]
    [InlineData("prefork")]
    public void Worker_processes_end_with_it(string model)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "echo", "tcp://127.0.0.1:0", "--model", model);
        using (server)
        {
            using Socket client = Connect(endpoint);
            client.Send("here\n"u8);
            Assert.Equal(5, client.Receive(new byte[10]));
            int[] workers = ChildrenOf(server.Id);
            Assert.NotEmpty(workers);
            Kill(server);
            Waiting.Until(() => !workers.Any(IsAlive), "every worker has ended");
        }
    }

    [Fact]
    public void Its_watcher_ends_with_it_and_goes_with_a_server_that_ends_in_order()
    {
        foreach (string signal in new[] { "KILL", "TERM" })
        {
            (Program server, _) = Doorbells.Serve("native", "tcp://127.0.0.1:0", "--shell", "cat");
            using (server)
            {
                int watcher = Assert.Single(ChildrenOf(server.Id));
                server.Signal(signal);
                server.WaitForEnd();
                Waiting.Until(() => !IsAlive(watcher), $"after SIG{signal} the watcher has ended");
            }
        }
    }

    [Theory]
    [InlineData("KILL")]
    [InlineData("PIPE")]
    public void A_watcher_that_somebody_ends_is_there_again_with_the_next_program(string signal)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "tcp://127.0.0.1:0", "--shell", "echo $$; sleep 1000");
        using (server)
        {
            using Socket first = Connect(endpoint);
            int[] groups = [ReadNumber(first), 0];
            int watcher = ChildrenOf(server.Id).Single(child => child != groups[0]);
            using (System.Diagnostics.Process sender = System.Diagnostics.Process.Start("kill", ["-s", signal, $"{watcher}"]))
            {
                sender.WaitForExit();
            }

            if (signal == "KILL")
            {
                Waiting.Until(() => !IsAlive(watcher), "the watcher has ended");
            }

            using Socket second = Connect(endpoint);
            groups[1] = ReadNumber(second);
            Kill(server, groups);
            Waiting.Until(() => groups.All(static group => MembersOf(group).Length == 0), "every process has ended");
        }
    }

    private static void Kill(Program server, params int[] groups)
    {
        Waiting.Until(() => groups.All(group => Watched(server).Contains(group)), "its watchers know of every group");
        server.Signal("KILL");
        server.WaitForEnd();
    }

    private static Socket Connect(Endpoint endpoint)
    {
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 30_000 };
        client.Connect(IPAddress.Loopback, endpoint.Port);
        return client;
    }

    private static int ReadNumber(Socket client)
    {
        StringBuilder line = new();
        byte[] next = new byte[1];
        while (client.Receive(next) > 0 && next[0] != '\n')
        {
            line.Append((char)next[0]);
        }

        return int.Parse(line.ToString());
    }

    private static int[] MembersOf(int group) =>
        [.. Stats().Where(stat => stat.Group == group && stat.State != 'Z').Select(stat => stat.Id)];

    private static int[] ChildrenOf(int parent) => [.. Stats().Where(stat => stat.Parent == parent).Select(stat => stat.Id)];

    /// <summary>The groups in the files that the server's watchers are to read. A program runs a moment before it stands there.</summary>
    private static int[] Watched(Program server) => [.. ChildrenOf(server.Id)
        .Select(static child => $"/proc/{child}/fd/3")
        .Where(static file => new FileInfo(file).LinkTarget is { } target && target.Contains("doorbell-programs", StringComparison.Ordinal))
        .SelectMany(static file => File.ReadAllText(file).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries))
        .Select(int.Parse)];

    private static bool IsAlive(int process) => Stats().Any(stat => stat.Id == process && stat.State != 'Z');

    /// <summary>All processes, from proc(5): "4711 (name) S parent group …".</summary>
    private static IEnumerable<(int Id, char State, int Parent, int Group)> Stats()
    {
        foreach (string folder in Directory.EnumerateDirectories("/proc").Where(static folder => char.IsAsciiDigit(folder[^1])))
        {
            string stat;
            try
            {
                stat = File.ReadAllText($"{folder}/stat");
            }
            catch (IOException)
            {
                continue;
            }

            string[] parts = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            yield return (int.Parse(Path.GetFileName(folder)), parts[0][0], int.Parse(parts[1]), int.Parse(parts[2]));
        }
    }
}
