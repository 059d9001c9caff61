using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Doorbell.Tests;

/// <summary>Backlogs as a user sees them: with <c>serve --backlog</c>, <c>ss</c> and the demonstration.</summary>
public sealed partial class BacklogTests
{
    private static readonly int _most = int.Parse(File.ReadAllText("/proc/sys/net/core/somaxconn"), CultureInfo.InvariantCulture);

    public static TheoryData<string> Both => Doorbells.Both;

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task The_readings_are_what_ss_shows(string transport)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await using Server server = await Server.StartAsync(new ServerOptions
        {
            Service = ClassicServices.Echo,
            Model = ServerModel.Loop(1),
            Endpoints = [Endpoint.Parse(transport == "tcp" ? "tcp://127.0.0.1:0" : $"unix://{path}")],
            MaxConnections = 1,
            AtLimit = AtLimit.LeaveInBacklog,
            ListenBacklog = 5,
        });
        Endpoint endpoint = server.Doors[0].Endpoint;
        List<Socket> clients = [];
        for (int count = 0; count < 4; count++)
        {
            Socket client = endpoint.IsUnix ? new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) : new(
                SocketType.Stream, ProtocolType.Tcp);
            clients.Add(client);
            client.Connect(endpoint.IsUnix ? new UnixDomainSocketEndPoint(path) : new IPEndPoint(IPAddress.Loopback, endpoint.Port));
        }

        Assert.True(SpinWait.SpinUntil(() => server.ReadBacklogs()[0].Waiting == 3, TimeSpan.FromSeconds(20)));
        (int Waiting, int Limit) shown = endpoint.IsUnix ? Ss("-Hxl", "src", path) : Ss("-Htln", $"sport = :{endpoint.Port}");
        Assert.Equal((3, 5), shown);
        Assert.Equal(5, server.ReadBacklogs()[0].Limit);
        clients.ForEach(static client => client.Dispose());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void The_backlog_asked_for_is_the_listeners_and_what_the_kernel_made_of_it_is_said(string kind)
    {
        Assert.Equal("backlog: 7", Said(kind, "7", 7));
        Assert.Equal(
            $"backlog: asked for {int.MaxValue}, the kernel allows {_most}: net.core.somaxconn", Said(kind, $"{int.MaxValue}", _most));
        using Program json = Doorbells.Start(kind, "serve", "tcp://127.0.0.1:0", "--json");
        Assert.Contains($"\"backlog\":{_most}", json.WaitForLine("listening"), StringComparison.Ordinal);
        foreach (string wrong in new[] { "-1", "many", "2147483648" })
        {
            Ended ended = Doorbells.Run(kind, "", "serve", "--backlog", wrong);
            Assert.Equal((2, 1), (ended.ExitCode, ended.Error.Count(static c => c == '\n')));
            Assert.Contains($"--backlog takes a whole number from 0 to 2147483647, not \"{wrong}\"", ended.Error, StringComparison.Ordinal);
        }

        Assert.Contains(
            "--backlog belongs to tcp and unix listeners",
            Doorbells.Run(kind, "", "serve", "udp://127.0.0.1:0", "--backlog", "5").Error,
            StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public async Task A_server_that_overflows_says_so_and_counts_it(string kind)
    {
        Ended text = await OverflowAsync(kind);
        Assert.Matches(@"\(.*[1-9]\d* packets dropped at a full backlog\)", text.Output);
        Ended json = await OverflowAsync(kind, "--json");
        Assert.Matches("\"backlogOverflows\":[1-9]", json.Output);
        foreach (Ended ended in new[] { text, json })
        {
            Assert.Equal(0, ended.ExitCode);
            string warning = Assert.Single(ended.Error.Split('\n'), static line => line.Contains("backlog", StringComparison.Ordinal));
            Assert.Contains(": the backlog overflowed: the kernel dropped ", warning, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void The_demonstration_shows_who_waits_and_who_is_dropped_and_tries_again(string kind)
    {
        Ended ended = Doorbells.Run(kind, "", "demo", "backlog");
        Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
        Match[] rows = [.. Row().Matches(ended.Output).Cast<Match>()];
        Assert.Equal(Enumerable.Range(1, 20), rows.Select(static row => Number(row, "client")));
        Assert.Single(rows, static row => row.Value.Contains("accepted at once", StringComparison.Ordinal));
        Assert.Contains(rows, static row => row.Value.EndsWith("waited in the backlog", StringComparison.Ordinal));
        Match[] dropped = [.. rows.Where(static row => Number(row, "syns") > 0)];
        Assert.NotEmpty(dropped);

        // RFC 6298: a SYN is sent again after a second at the earliest. The kernel's clock ticks up to 10 ms apart.
        Assert.All(dropped, static row => Assert.InRange(Number(row, "connected"), 980, int.MaxValue));
        Assert.All(rows, static row => Assert.InRange(Number(row, "answered"), Number(row, "accepted") + 190, int.MaxValue));
        Match overflows = Overflows().Match(ended.Output);
        Assert.True(Number(overflows, "after") >= Number(overflows, "before") + dropped.Length);
        Assert.Contains("The limit is 5, and ", ended.Output, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void An_unknown_demonstration_is_wrong_usage(string kind)
    {
        foreach (string[] arguments in new[] { new[] { "demo" }, ["demo", "nonsense"], ["demo", "backlog", "5"] })
        {
            Ended ended = Doorbells.Run(kind, "", arguments);
            Assert.Equal((2, 1), (ended.ExitCode, ended.Error.Count(static c => c == '\n')));
        }

        Assert.Contains("doorbell demo backlog --help", Doorbells.Run(kind, "", "demo", "backlog", "5").Error, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^ +(?<client>\d+) +(?<connected>\d+) ms +(?<syns>\d+) +\d+ +(?<accepted>\d+) ms +(?<answered>\d+) ms   .*$",
        RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"ListenOverflows from (?<before>\d+) to (?<after>\d+)")]
    private static partial Regex Overflows();

    [GeneratedRegex(@"(?<=127\.0\.0\.1:)\d+")]
    private static partial Regex Port();

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    /// <summary>The line on the backlog that a server with this option prints.</summary>
    private static string Said(string kind, string backlog, int made)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve(
            kind, "tcp://127.0.0.1:0", "--backlog", backlog, "--model", "loop", "--workers", "1");
        using (server)
        {
            string line = server.WaitForLine("backlog");
            Assert.Equal((0, made), Ss("-Htln", $"sport = :{endpoint.Port}"));
            return line;
        }
    }

    /// <summary>Whether all threads of a process have heard SIGSTOP: the letter after the name in parentheses is T (proc(5)).</summary>
    private static bool IsStopped(int pid)
    {
        try
        {
            return Directory.GetDirectories($"/proc/{pid}/task")
                .All(static thread => File.ReadAllText($"{thread}/stat").Split(')')[^1].StartsWith(" T", StringComparison.Ordinal));
        }
        catch (IOException)
        {
            // A thread has ended meanwhile.
            return false;
        }
    }

    /// <summary>A server whose backlog overflowed, once it has ended.</summary>
    private static async Task<Ended> OverflowAsync(string kind, params string[] options)
    {
        using Program server = Doorbells.Start(
            kind, ["serve", "tcp://127.0.0.1:0", "--backlog", "0", "--model", "loop", "--workers", "1", .. options]);
        int port = int.Parse(Port().Match(server.WaitForLine("tcp://")).Value, CultureInfo.InvariantCulture);

        // Stopped, it accepts nothing: of several clients one has a place.
        server.Signal("STOP");
        Assert.True(SpinWait.SpinUntil(() => IsStopped(server.Id), TimeSpan.FromSeconds(20)));
        List<Socket> clients = [.. Enumerable.Range(0, 5).Select(static _ => new Socket(SocketType.Stream, ProtocolType.Tcp))];
        Task[] connects = [.. clients.Select(client => client.ConnectAsync(IPAddress.Loopback, port))];
        Assert.Equal((1, 0), Ss("-Htln", $"sport = :{port}"));
        server.Signal("CONT");
        await Task.WhenAll(connects).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        clients.ForEach(static client => client.Dispose());
        server.Signal("TERM");
        return server.WaitForEnd();
    }

    /// <summary>Recv-Q and Send-Q of the one listener that ss shows.</summary>
    private static (int Waiting, int Limit) Ss(params string[] arguments)
    {
        Ended ended = Program.Run("ss", arguments);
        string[] words = Assert.Single(ended.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        int state = Array.IndexOf(words, "LISTEN");
        return (int.Parse(words[state + 1], CultureInfo.InvariantCulture), int.Parse(words[state + 2], CultureInfo.InvariantCulture));
    }
}
