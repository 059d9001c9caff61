using System.Text;

namespace Doorbell.Tests;

/// <summary><c>doorbell impair</c> at a terminal, which script(1) makes.</summary>
public sealed class ImpairTerminalTests
{
    [Fact]
    public void It_shows_what_passes_and_takes_lines()
    {
        using Program terminal = Start("udp");
        terminal.WaitForLine("datagrams out");
        Type(terminal, "loss 10%/5%");
        terminal.WaitForLine("ok");
        terminal.WaitForLine("loss 10%/5%");
        Type(terminal, "lost\u007fs 10");
        terminal.WaitForLine("error: loss takes a percentage");
        Type(terminal, "help");
        terminal.WaitForLine("give settings and values");
        Type(terminal, "quit");
        AssertSummary(terminal.WaitForEnd());
    }

    [Fact]
    public void With_json_nothing_is_drawn_and_lines_are_taken_all_the_same()
    {
        using Program terminal = Start("tcp", "--json");
        terminal.WaitForLine("\"listening\"");
        Type(terminal, "delay 5ms");
        terminal.WaitForLine("ok");
        Type(terminal, "quit");
        Ended ended = terminal.WaitForEnd();
        Assert.Equal(0, ended.ExitCode);
        Assert.Contains("\"event\":\"summary\"", ended.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("in/s", ended.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Control_C_ends_it_with_the_summary()
    {
        using Program terminal = Start("udp");
        terminal.WaitForLine("datagrams out");
        terminal.Input.Write("\u0003"u8);
        terminal.Input.Flush();
        AssertSummary(terminal.WaitForEnd());
    }

    private static void AssertSummary(Ended ended)
    {
        Assert.Equal(0, ended.ExitCode);
        Assert.Contains("up: 0 datagrams received", ended.Output, StringComparison.Ordinal);
        Assert.Contains("0 clients", ended.Output, StringComparison.Ordinal);
    }

    private static Program Start(string transport, string options = "")
    {
        // script(1) passes on how the command ended (-e), and what it wrote at once (-f).
        string command = $"stty cols 120; exec env -i TERM=xterm '{Doorbells.File("native")}' "
            + $"impair {transport}://127.0.0.1:0 {transport}://127.0.0.1:9 {options}";
        return Program.Start("script", "-qefc", command, "/dev/null");
    }

    private static void Type(Program terminal, string line)
    {
        terminal.Input.Write(Encoding.UTF8.GetBytes(line + "\r"));
        terminal.Input.Flush();
    }
}
