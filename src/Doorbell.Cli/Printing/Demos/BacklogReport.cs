using System.Globalization;
using Doorbell.Lab.Demos;

namespace Doorbell.Cli.Printing.Demos;

/// <summary>Runs <c>demo backlog</c> and prints who waits and who has to try again.</summary>
internal static class BacklogReport
{
    public static async Task RunAsync()
    {
        using BacklogDemo demo = new();
        Say($"a textbook server on {demo.Endpoint}: accepts one client, works "
            + $"{BacklogDemo.Work.TotalMilliseconds:0} ms for it, closes, accepts the next");
        Say($"listen(fd, {BacklogDemo.Backlog}), then {BacklogDemo.Clients} clients connect at once");
        Say("");
        Say("  time   waiting in the backlog   packets dropped so far");
        BacklogResult result = await demo.RunAsync(Glance);
        Say("");
        Table(result.Clients);
        Say("");
        Explain(result);
    }

    private static void Glance(TimeSpan time, BacklogReading reading) =>
        Say($"{time.TotalSeconds,4:0.0} s   {new string('#', reading.Waiting ?? 0),-BacklogDemo.Backlog - 3}"
            + $"{Number(reading.Waiting),-17}{Number(reading.Dropped)}");

    private static void Table(IReadOnlyList<BacklogClient> clients)
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

    private static void Explain(BacklogResult result)
    {
        IEnumerable<IGrouping<string, BacklogClient>> fates =
            result.Clients.GroupBy(static client => client.Failure is null ? Fate(client) : "failed");
        Say(string.Join("; ", fates.Select(static fate => $"{fate.Key}: {fate.Count()}")));
        Say("");
        if (result.Last.Limit is not { } limit || result.Last.Dropped is not { } drops)
        {
            Say("This system does not tell what waits and what it dropped; Linux does.");
            return;
        }

        int most = result.MaxWaiting;
        Say($"""
            - The limit is {limit}, and {most} waited: Linux asks whether more than the limit wait already, so one more may, and yet
              another if two CPUs ask at once. An argument larger than net.core.somaxconn would have been cut down to that in
              silence (listen(2)). Now it is {Setting("core/somaxconn")}.
            - A client that waits is connected: the kernel shook hands for the server, which has not been told yet (accept(2)).
            - At a full backlog Linux drops a SYN and answers nothing. listen(2): "if the underlying protocol supports
              retransmission, the request may be ignored so that a later reattempt at connection succeeds". TCP does, so nobody
              gets ECONNREFUSED: the client's kernel sends the SYN again after about a second, and again, at most
              {SynRetries()}.
            - SYNs that come together all find the last free place, and are all answered; then the first ACK takes it. The other
              clients are connected, but for the server they are not: the kernel drops their ACK, and their line, which they send
              again and again, until there is a place. With net.ipv4.tcp_abort_on_overflow at 1 they would get a reset (tcp(7)).
              Now it is {Setting("ipv4/tcp_abort_on_overflow")}.
            - Each packet that found the backlog full counts as ListenOverflows, and what was dropped in all as ListenDrops, of
              the whole network namespace (nstat -az 'TcpExtListen*'):
              ListenOverflows from {result.Before?.ListenOverflows} to {result.After?.ListenOverflows},
              ListenDrops from {result.Before?.ListenDrops} to {result.After?.ListenDrops}.
              This listener's own count, {drops} (SO_MEMINFO), has besides what came twice.
            - ss -ltn shows a listener's queue too: the waiting as Recv-Q, the limit as Send-Q.
            """);
    }

    /// <summary>Since Linux 6.5 the first repeats come at even pauses, and tcp_syn_retries does not count them (ip-sysctl).</summary>
    private static string SynRetries()
    {
        string doubling = Setting("ipv4/tcp_syn_retries");
        string even = Setting("ipv4/tcp_syn_linear_timeouts");
        const NumberStyles Digits = NumberStyles.None;
        CultureInfo culture = CultureInfo.InvariantCulture;
        return int.TryParse(doubling, Digits, culture, out int some) && int.TryParse(even, Digits, culture, out int first)
            ? string.Create(culture, $"{first + some} times (tcp_syn_linear_timeouts {first} and tcp_syn_retries {some})")
            : $"{doubling} times (tcp(7), tcp_syn_retries)";
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
