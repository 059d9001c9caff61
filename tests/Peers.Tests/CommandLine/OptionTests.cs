using System.Text.Json;

namespace Doorbell.Tests;

/// <summary><c>--option</c>, <c>doorbell options</c> and <c>doorbell demo</c> as a user runs them.</summary>
public sealed class OptionTests
{
    public static TheoryData<string> Both => Doorbells.Both;

    [Theory]
    [MemberData(nameof(Both))]
    public void Serve_says_what_the_kernel_made_of_an_option(string kind)
    {
        using Program server = Doorbells.Start(
            kind, "serve", "tcp://127.0.0.1:0", "udp://127.0.0.1:0", "--option", "SO_RCVBUF=10000", "--option", "TCP_NODELAY=0");
        Assert.Matches(
            @"^tcp://127\.0\.0\.1:\d+: SO_RCVBUF is 20000 bytes \(asked: 10000\): the kernel doubles it for its own bookkeeping"
                + @" \(socket\(7\)\)$",
            server.WaitForLine("SO_RCVBUF"));
        Assert.Matches(@"^udp://127\.0\.0\.1:\d+: SO_RCVBUF is 20000", server.WaitForLine("SO_RCVBUF"));
        string endpoint = server.WaitForLine("serving ").Split(' ')[^1];
        Ended asked = Doorbells.Run(kind, "", "ask", endpoint, "hi", "--option", "SO_SNDBUF=100000", "--option", "TCP_NODELAY=1");
        Assert.Equal("FROM SERVER: HI\n", asked.Output);
        Assert.Equal(
            "doorbell: SO_SNDBUF is 200000 bytes (asked: 100000): the kernel doubles it for its own bookkeeping (socket(7))\n",
            asked.Error);
        Assert.Equal(new Ended(0, "HI\n", ""), Doorbells.Run(kind, "hi\n", "connect", endpoint, "--option", "TCP_KEEPIDLE=60"));
        server.Signal("TERM");
        Ended ended = server.WaitForEnd();
        Assert.Equal(0, ended.ExitCode);
        Assert.DoesNotContain("TCP_NODELAY", ended.Output, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void A_wrong_option_is_one_line(string kind)
    {
        OneLine(2, "did you mean TCP_NODELAY", kind, "serve", "tcp://127.0.0.1:0", "--option", "TCP_NODLEAY=1");
        OneLine(2, "TCP_NODELAY takes 0, 1", kind, "ask", "tcp://127.0.0.1:1", "x", "--option", "TCP_NODELAY=yes");
        OneLine(2, "UDP_CORK has no effect on tcp://127.0.0.1:", kind, "serve", "tcp://127.0.0.1:0", "--option", "UDP_CORK=1");
        OneLine(2, "UDP_CORK has no effect on tcp://127.0.0.1:1", kind, "connect", "tcp://127.0.0.1:1", "--option", "UDP_CORK=1");
        OneLine(1, "TCP_CONGESTION=nonsense: ENOENT", kind, "serve", "tcp://127.0.0.1:0", "--option", "TCP_CONGESTION=nonsense");
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void All_options_are_listed_for_people_and_for_programs(string kind)
    {
        string text = Doorbells.Run(kind, "", "options").Output;
        foreach (string part in new[]
        {
            "tcp over IPv6 and IPv4, IPPROTO_TCP", "udp over IPv6 and IPv4, SOL_SOCKET", "unix, SOL_SOCKET", "  TCP_NODELAY ", "  UDP_GRO ",
            "C TCP_NODELAY; .NET Socket.NoDelay; Java StandardSocketOptions.TCP_NODELAY; tcp(7)", "[1 to 32767] any time", "read only",
        })
        {
            Assert.Contains(part, text, StringComparison.Ordinal);
        }

        Assert.All(text.Split('\n'), static line => Assert.InRange(line.Length, 0, 119));
        string[] lines = Doorbells.Run(kind, "", "options", "udp://127.0.0.1:1", "--json").Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        JsonElement buffer = lines.Select(static line => JsonDocument.Parse(line).RootElement)
            .Single(static option => option.GetProperty("name").GetString() == "SO_RCVBUF");
        Assert.Equal("udp SOL_SOCKET bytes any time StandardSocketOptions.SO_RCVBUF socket(7)", string.Join(
            ' ', new[] { "socket", "level", "unit", "when", "java", "reference" }.Select(name => buffer.GetProperty(name).GetString())));
    }

    /// <summary>Facts, not times: how long an exchange takes is the machine's affair.</summary>
    [Theory]
    [MemberData(nameof(Both))]
    public void The_demonstrations_show_what_they_say(string kind)
    {
        string nagle = Demo(kind, "nagle");
        Assert.Contains("TCP_NODELAY is 0, as asked", nagle, StringComparison.Ordinal);
        Assert.Contains("TCP_NODELAY is 1, as asked", nagle, StringComparison.Ordinal);
        Assert.Equal(3, nagle.Split('\n').Count(static line => line.Contains("ms an exchange", StringComparison.Ordinal)));

        // A machine that is busy with short connections has no TIME_WAIT left to give: then the demonstration says so, and half closes.
        string[] reuse = [.. Demo(kind, "reuse-address").Split('\n')
            .Where(static line => !line.StartsWith("the kernel keeps no TIME_WAIT now", StringComparison.Ordinal))];
        const string Busy = "is in (TIME_WAIT|FIN_WAIT2); bind and listen: ";
        Assert.Matches(@"SO_REUSEADDR=0: .* " + Busy + @"EADDRINUSE \(Address already in use\)$", reuse[0]);
        Assert.Matches(@"SO_REUSEADDR=1: .* " + Busy + "done$", reuse[1]);
        Assert.Equal("second server at the same time with SO_REUSEADDR=1: EADDRINUSE (Address already in use)", reuse[2]);
        int[] spread = [.. Numbers(reuse[3].Replace(',', ' '))];
        Assert.Equal(spread[0], spread[1] + spread[2]);
        Assert.All(spread, static count => Assert.InRange(count, 1, 200));

        string[] buffers = [.. Demo(kind, "receive-buffer").Split('\n')
            .Where(static line => line.Contains(" sent, ", StringComparison.Ordinal))];
        Assert.Equal(3, buffers.Length);
        int[][] counts = [.. buffers.Select(static line => Numbers(line).Take(3).ToArray())];
        Assert.All(counts, static count => Assert.Equal(count[0], count[1] + count[2]));
        Assert.True(counts[0][1] < counts[1][1] && counts[1][1] <= counts[2][1], string.Join('\n', buffers));
    }

    private static IEnumerable<int> Numbers(string line) =>
        line.Split(' ').Where(static word => int.TryParse(word, out _)).Select(int.Parse);

    private static string Demo(string kind, string name)
    {
        Ended ended = Doorbells.Run(kind, "", "demo", name);
        Assert.Equal("", ended.Error);
        Assert.Equal(0, ended.ExitCode);
        return ended.Output;
    }

    private static void OneLine(int code, string part, string kind, params string[] arguments)
    {
        Ended ended = Doorbells.Run(kind, "", arguments);
        Assert.Equal(code, ended.ExitCode);
        Assert.Equal("", ended.Output);
        Assert.StartsWith("doorbell: ", ended.Error, StringComparison.Ordinal);
        Assert.Contains(part, ended.Error, StringComparison.Ordinal);
        Assert.Equal(1, ended.Error.Count(static c => c == '\n'));
    }
}
