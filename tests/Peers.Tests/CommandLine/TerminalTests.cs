using System.Text;

namespace Doorbell.Tests;

/// <summary>
/// Nothing is written to a terminal, which script(1) makes, but what the verb says. .NET's console, at its first use, would put it into
/// application mode, and leave it so for the program that comes next.
/// </summary>
public sealed class TerminalTests
{
    private const char Escape = '\e';
    private const string ControlC = "\u0003";

    public static TheoryData<string> Ending =>
    [
        "help", "help --man", "version", "completion zsh", "probe tcp://127.0.0.1:1",
        "--version", "--help", "serve --help", "", "serv", "serve --no-such-option", "serve tcp://256.0.0.1:1", "relay",
        "ask --timeout 1 tcp://127.0.0.1:1 hello", "ask --timeout 1 --json udp://127.0.0.1:1 hello", "connect tcp://127.0.0.1:1",
        "options tcp://127.0.0.1:1", "options --json", "demo nagle", "demo backlog", "demo receive-buffer", "demo reuse-address",
        "demo no-such",
        "bench models --seconds 2",
    ];

    public static TheoryData<string> Serving =>
    [
        "serve tcp://127.0.0.1:0", "serve -v --json echo tcp://127.0.0.1:0", "relay tcp://127.0.0.1:0 tcp://127.0.0.1:9",
        "impair --json udp://127.0.0.1:0 udp://127.0.0.1:9",
    ];

    [Theory]
    [MemberData(nameof(Ending))]
    public void A_verb_that_ends_drives_no_terminal(string arguments)
    {
        using Program terminal = Start(arguments);
        Assert.DoesNotContain(Escape, terminal.WaitForEnd().Output);
    }

    [Theory]
    [MemberData(nameof(Serving))]
    public void A_verb_that_serves_drives_no_terminal(string arguments)
    {
        using Program terminal = Start(arguments);
        terminal.WaitForLine("127.0.0.1:");
        Type(terminal, ControlC);
        Ended ended = terminal.WaitForEnd();
        Assert.Equal(0, ended.ExitCode);
        Assert.DoesNotContain(Escape, ended.Output);
    }

    /// <summary>A colour is said by the log alone, at a terminal that takes it, and NO_COLOR (no-color.org) takes it away.</summary>
    [Theory]
    [InlineData("NO_COLOR=1", false)]
    [InlineData("NO_COLOR=", true)]
    public void The_log_is_coloured_unless_it_must_not_be(string environment, bool isColoured)
    {
        using Program terminal = Start("serve -v tcp://127.0.0.1:0", environment);
        string line = terminal.WaitForLine("127.0.0.1:");
        Assert.Equal(0, Doorbells.Run("native", "", "ask", line.TrimEnd('\r').Split(' ')[^1], "hello").ExitCode);
        terminal.WaitForLine("ended: Completed");
        Type(terminal, ControlC);
        Assert.Equal(isColoured, terminal.WaitForEnd().Output.Contains(Escape));
    }

    [Fact]
    public void The_live_view_has_no_colour_where_none_is_wanted()
    {
        using Program terminal = Start("impair udp://127.0.0.1:0 udp://127.0.0.1:9", "NO_COLOR=1");
        terminal.WaitForLine("datagrams out");
        Type(terminal, ControlC);
        Assert.DoesNotMatch("\e\\[[0-9;]*[34][0-9][0-9;]*m", terminal.WaitForEnd().Output);
    }

    [Fact]
    public void What_passes_between_terminal_and_server_drives_no_terminal()
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "tcp://127.0.0.1:0");
        using (server)
        {
            using Program asking = Start($"ask {endpoint}");
            Type(asking, "hello\n");
            asking.WaitForLine("FROM SERVER: HELLO");
            using Program joined = Start($"connect {endpoint}");
            Type(joined, "hello\n");
            joined.WaitForLine("HELLO");
            Assert.DoesNotContain(Escape, asking.Output + joined.Output);
        }
    }

    [Theory]
    [InlineData("\e[?1h", "\e[?1l")]
    [InlineData("\e=", "\e>")]
    [InlineData("\e[?25l", "\e[?25h")]
    public void The_live_view_leaves_the_terminal_as_it_was(string set, string reset)
    {
        using Program terminal = Start("impair udp://127.0.0.1:0 udp://127.0.0.1:9");
        terminal.WaitForLine("datagrams out");
        Type(terminal, ControlC);
        string output = terminal.WaitForEnd().Output;
        Assert.True(output.LastIndexOf(reset, StringComparison.Ordinal) > output.LastIndexOf(set, StringComparison.Ordinal), output);
    }

    /// <summary>timeout(1) runs it in a process group of its own, which is in the terminal's background, and then ends it.</summary>
    [Theory]
    [InlineData("impair udp://127.0.0.1:0 udp://127.0.0.1:9", "up: 0 datagrams received")]
    [InlineData("serve tcp://127.0.0.1:0", "127.0.0.1:")]
    [InlineData("relay tcp://127.0.0.1:0 tcp://127.0.0.1:9", "127.0.0.1:")]
    public void In_the_background_it_draws_nothing_and_ends_when_it_is_told_to(string arguments, string said)
    {
        const int Times = 5;
        const int ByTimeout = 124; // 137 if it had to be killed
        for (int i = 0; i < Times; i++)
        {
            using Program terminal = Program.Start(
                "script", "-qefc", $"timeout -s TERM -k 15 2 '{Doorbells.File("native")}' {arguments}; exit $?", "/dev/null");
            Ended ended = terminal.WaitForEnd();
            Assert.Equal(ByTimeout, ended.ExitCode);
            Assert.Contains(said, ended.Output, StringComparison.Ordinal);
            Assert.DoesNotContain(Escape, ended.Output);
        }
    }

    private static void Type(Program terminal, string keys)
    {
        terminal.Input.Write(Encoding.UTF8.GetBytes(keys));
        terminal.Input.Flush();
    }

    private static Program Start(string arguments, string environment = "") => Program.Start(
        "script", "-qefc",
        $"stty cols 120; exec env TERM=xterm-256color {environment} '{Doorbells.File("native")}' {arguments}", "/dev/null");
}
