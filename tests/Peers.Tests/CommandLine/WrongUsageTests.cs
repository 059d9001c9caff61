namespace Doorbell.Tests;

/// <summary>A command line that can't be understood: one line names the word, and what it could be.</summary>
public sealed class WrongUsageTests
{
    private const string Verbs = "serve, ask, connect, options, demo, bench, impair, relay, probe, listen";

    /// <summary>Every option that takes a number or a time, with what is none, or out of its bounds.</summary>
    [Theory]
    [InlineData("--max-connections takes a whole number from 1 to", "serve echo tcp://127.0.0.1:0 --max-connections", "10k", "0", "1e3")]
    [InlineData("--max-per-address takes a whole number from 1 to", "serve echo tcp://127.0.0.1:0 --max-per-address", "x", "-1")]
    [InlineData("--min-rate takes a number of bytes from 1 to", "serve echo tcp://127.0.0.1:0 --min-rate", "x", "0")]
    [InlineData("--max-message takes a number of bytes from 1 to", "serve echo tcp://127.0.0.1:0 --max-message", "1q", "3g", "k")]
    [InlineData("--max-pending takes a number of bytes from 1 to", "serve echo tcp://127.0.0.1:0 --max-pending", "-1k", "0")]
    [InlineData("--coap-exchanges takes a whole number from 1 to", "serve echo tcp://127.0.0.1:0 --coap-exchanges", "x", "0")]
    [InlineData("--workers takes a whole number from 1 to", "serve echo tcp://127.0.0.1:0 --workers", "1k", "0")]
    [InlineData("--workers takes a whole number from 1 to", "relay tcp://127.0.0.1:0 tcp://127.0.0.1:9 --workers", "1k", "0")]
    [InlineData("--connect-timeout takes a time", "relay tcp://127.0.0.1:0 tcp://127.0.0.1:9 --connect-timeout", "0", "soon")]
    [InlineData("--idle-timeout takes a time", "relay tcp://127.0.0.1:0 tcp://127.0.0.1:9 --idle-timeout", "0", "never")]
    [InlineData("--timeout takes a time", "ask tcp://127.0.0.1:9 hello --timeout", "0", "x")]
    [InlineData("--timeout takes a time", "connect tcp://127.0.0.1:9 --timeout", "0", "x")]
    [InlineData("--tries takes a whole number from 1 to 100", "ask udp://127.0.0.1:9 hello --tries", "x", "0", "101")]
    [InlineData("--timeout takes a time", "listen tcp://127.0.0.1:0 --timeout", "0", "x")]
    [InlineData("--seconds takes a time", "bench models --seconds", "x", "1", "601")]
    [InlineData("--plot takes a name", "bench models --plot", "", "a.gif")]
    [InlineData("--config", "serve --config", "/dev/zero", "/", "/no/such/file")]
    public void A_value_that_is_none_is_one_line(string expected, string arguments, params string[] values)
    {
        foreach (string value in values)
        {
            Ended ended = Doorbells.Run("native", "", [.. arguments.Split(' '), value]);
            Assert.Equal((2, ""), (ended.ExitCode, ended.Output));
            string line = Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
            Assert.Contains(expected == "--config" ? $"read {value}: " : expected, line, StringComparison.Ordinal);
            Assert.DoesNotContain("(Parameter", line, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("2>&-")]
    [InlineData("2> /dev/full")]
    public void Where_standard_error_takes_nothing_the_exit_code_is_the_same(string redirection)
    {
        string[] wrong = ["serve bogus", "ask --tries x", "connect", "options --nope", "relay", "impair", "bench x", "demo x"];
        foreach (string verb in wrong)
        {
            Ended ended = Program.Run("sh", ["-c", $"exec '{Doorbells.File("native")}' {verb} {redirection}"]);
            Assert.Equal((2, ""), (ended.ExitCode, ended.Output + ended.Error));
        }
    }

    [Theory]
    [InlineData("nosuch", "\"nosuch\" is no command: give one of " + Verbs)]
    [InlineData("", "a command is missing: give one of " + Verbs)]
    [InlineData("bench nosuch", "\"nosuch\" is no command: give one of models")]
    [InlineData("impair", "LISTEN is missing")]
    [InlineData("impair 7000", "UPSTREAM is missing")]
    [InlineData("connect", "ENDPOINT is missing")]
    [InlineData("listen", "ENDPOINT is missing")]
    [InlineData("impair 1 2 3", "\"3\" is one word too many")]
    [InlineData("--nosuch", "--nosuch is no option")]
    [InlineData(
        "[suggest:3] ser",
        "\"[suggest:3]\" is no command: give one of " + Verbs)]
    [InlineData("[env:X=1]", "\"[env:X=1]\" is no command: give one of " + Verbs)]
    [InlineData("ask --nosuch tcp://h:1 x", "--nosuch is no option; a text that begins with a hyphen stands behind --")]
    [InlineData("ask -9 tcp://127.0.0.1:1", "-9 is no option; a text that begins with a hyphen stands behind --")]
    [InlineData("ask tcp://127.0.0.1:1 --nosuch=3", "--nosuch=3 is no option; a text that begins with a hyphen stands behind --")]
    [InlineData("connect --nosuch tcp://127.0.0.1:1", "--nosuch is no option")]
    [InlineData("connect tcp://127.0.0.1:1 -u", "-u is no option")]
    [InlineData("serve echo tcp://127.0.0.1:0 --nosuch", "--nosuch is no option")]
    [InlineData("serve -p 80", "-p is no option")]
    [InlineData("relay tcp://127.0.0.1:0 tcp://127.0.0.1:1 -x", "-x is no option")]
    [InlineData("impair 1 2 --nosuch 3", "--nosuch is no option")]
    [InlineData("options --nosuch", "--nosuch is no option")]
    [InlineData("demo nagle --fast", "--fast is no option")]
    [InlineData("bench models -n 3", "-n is no option")]
    [InlineData("serve --json=maybe", "--json takes no value, and was given \"maybe\"")]
    [InlineData("serve echo --backlog", "--backlog is given without its N")]
    [InlineData("serve echo --backlog 1 --backlog 2", "--backlog is given twice: give one N")]
    public void The_wrong_or_missing_word_is_named(string arguments, string expected)
    {
        string[] words = arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Ended ended = Doorbells.Run("native", "", words);
        string verb = words switch
        {
            [] or ["nosuch"] or ["--nosuch"] or [['[', ..], ..] => "",
            ["demo" or "bench", not "nosuch", ..] => $"{words[0]} {words[1]} ",
            _ => $"{words[0]} ",
        };
        Assert.Equal((2, ""), (ended.ExitCode, ended.Output));
        Assert.Equal($"doorbell: {expected} (doorbell {verb}--help lists what there is)\n", ended.Error);
    }

    /// <summary>The terminal is narrower than the help's left margin.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(20)]
    public void Help_ends_on_the_narrowest_terminal(int columns)
    {
        foreach (string verb in (string[])["", "serve", "ask", "impair"])
        {
            Ended ended = Program.Run("script", ["-qec", $"stty cols {columns}; '{Doorbells.File("native")}' {verb} --help", "/dev/null"]);
            Assert.Equal(0, ended.ExitCode);
            Assert.Contains("--help", ended.Output, StringComparison.Ordinal);
        }
    }
}
