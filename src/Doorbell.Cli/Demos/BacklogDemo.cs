using System.CommandLine;
using System.Diagnostics;
using System.Globalization;

namespace Doorbell.Cli;

/// <summary><c>doorbell demo backlog</c>: a busy iterative server, a small backlog, more clients than fit.</summary>
internal static class BacklogDemo
{
    private const int Backlog = 5;
    private const int Clients = 20;

    /// <summary>A kernel that doubles its pauses from the first sends a SYN at 1, 3 and 7 s; so long it may take.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(12);

    private static readonly TimeSpan _glance = TimeSpan.FromMilliseconds(500);

    public static Command Make()
    {
        Command command = new("backlog", "A busy iterative server, a backlog of 5, 20 clients: who waits, who has to try again");
        command.SetAction(static _ => RunAsync());
        return command;
    }

    private static async Task<int> RunAsync()
    {
        ListenCounters? before = ListenCounters.Read();
        using TextbookServer server = new(Backlog);
        using CancellationTokenSource patience = new(_patience);
        Say($"a textbook server on {Endpoint.From(Transport.Tcp, server.Address)}: accepts one client, works "
            + $"{TextbookServer.Work.TotalMilliseconds:0} ms for it, closes, accepts the next");
        Say($"listen(fd, {Backlog}), then {Clients} clients connect at once");
        Say("");
        BacklogClient[] clients = [.. Enumerable.Range(0, Clients).Select(static _ => new BacklogClient())];
        Task all = Task.WhenAll(clients.Select(client => client.RunAsync(server, patience.Token)));
        int most = await WatchAsync(server, all);
        BacklogReading last = server.Backlog();
        Say("");
        Table(clients);
        Say("");
        Explain(clients, most, last, before, ListenCounters.Read());
        return 0;
    }

    /// <summary>Prints the queue twice a second until all clients are done.</summary>
    /// <returns>The longest queue seen.</returns>
    private static async Task<int> WatchAsync(TextbookServer server, Task all)
    {
        int most = 0;
        long begun = Stopwatch.GetTimestamp();
        Say("  time   waiting in the backlog   packets dropped so far");
        do
        {
            BacklogReading reading = server.Backlog();
            most = Math.Max(most, reading.Waiting ?? 0);
            Say($"{Stopwatch.GetElapsedTime(begun).TotalSeconds,4:0.0} s   {new string('#', reading.Waiting ?? 0),-Backlog - 3}"
                + $"{Number(reading.Waiting),-17}{Number(reading.Dropped)}");
            await Task.WhenAny(all, Task.Delay(_glance));
        }
        while (!all.IsCompleted);
        await all;
        return most;
    }

    private static void Table(BacklogClient[] clients)
    {
        Say("client   connected after   SYN again   line again   accepted after   answered after");
        foreach ((int index, BacklogClient client) in clients.Index())
        {
            Say($"{index + 1,6}{Milliseconds(client.Connected),18}{Number(client.SynsRepeated),12}{Number(client.LinesRepeated),13}"
                + $"{Milliseconds(client.Accepted),17}{Milliseconds(client.Answered),17}   {Fate(client)}");
        }
    }

    private static string Fate(BacklogClient client) => client switch
    {
        { Failure: { } failure } => failure,
        { SynsRepeated: > 0, LinesRepeated: > 0 } => "SYN, ACK and line dropped",
        { SynsRepeated: > 0 } => "SYN dropped",
        { LinesRepeated: > 0 } => "ACK and line dropped",
        { Number: 1 } => "accepted at once",
        _ => "waited in the backlog",
    };

    private static void Explain(
        BacklogClient[] clients, int most, BacklogReading last, ListenCounters? before, ListenCounters? after)
    {
        IEnumerable<IGrouping<string, BacklogClient>> fates =
            clients.GroupBy(static client => client.Failure is null ? Fate(client) : "failed");
        Say(string.Join("; ", fates.Select(static fate => $"{fate.Key}: {fate.Count()}")));
        Say("");
        if (last.Limit is not { } limit || last.Dropped is not { } drops)
        {
            Say("This system does not tell what waits and what it dropped; Linux does.");
            return;
        }

        Say($"""
            - The limit is {limit}, and {most} waited: Linux asks whether more than the limit wait already, so one more may, and yet
              another if two CPUs ask at once. An argument larger than net.core.somaxconn would have been cut down to that in
              silence (listen(2)). Now it is {Setting("core/somaxconn")}.
            - A client that waits is connected: the kernel shook hands for the server, which has not been told yet (accept(2)).
            - At a full backlog Linux drops a SYN and answers nothing. listen(2): "if the underlying protocol supports
              retransmission, the request may be ignored so that a later reattempt at connection succeeds". TCP does, so nobody
              gets ECONNREFUSED: the client's kernel sends the SYN again after about a second, and again, at most
              {Setting("ipv4/tcp_syn_retries")} times (tcp(7), tcp_syn_retries).
            - SYNs that come together all find the last free place, and are all answered; then the first ACK takes it. The other
              clients are connected, but for the server they are not: the kernel drops their ACK, and their line, which they send
              again and again, until there is a place. With net.ipv4.tcp_abort_on_overflow at 1 they would get a reset (tcp(7)).
              Now it is {Setting("ipv4/tcp_abort_on_overflow")}.
            - Each packet that found the backlog full counts as ListenOverflows, and what was dropped in all as ListenDrops, of
              the whole network namespace (nstat -az 'TcpExtListen*'):
              ListenOverflows from {before?.ListenOverflows} to {after?.ListenOverflows},
              ListenDrops from {before?.ListenDrops} to {after?.ListenDrops}.
              This listener's own count, {drops} (SO_MEMINFO), has besides what came twice.
            - ss -ltn shows a listener's queue too: the waiting as Recv-Q, the limit as Send-Q.
            """);
    }

    private static string Setting(string name)
    {
        try
        {
            return File.ReadAllText($"/proc/sys/net/{name}").Trim();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return "unknown";
        }
    }

    private static string Milliseconds(TimeSpan? time) =>
        time is { } known ? string.Create(CultureInfo.InvariantCulture, $"{known.TotalMilliseconds:0} ms") : "-";

    private static string Number(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "-";

    private static void Say(string line) => Console.Out.WriteLine(line);
}
