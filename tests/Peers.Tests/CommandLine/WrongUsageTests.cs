namespace Doorbell.Tests;

/// <summary>A command line that can't be understood: one line names the word, and what it could be.</summary>
public sealed class WrongUsageTests
{
    /// <summary>All, in the order of the help.</summary>
    private const string Verbs =
        "serve, ask, connect, options, demo, bench, impair, relay, probe, listen, load, send, receive, log, help, version, completion";

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

    /// <summary>Names that an option, an argument or a verb takes: the near one is a question, and all are given.</summary>
    [Theory]
    [InlineData("serve capitalise", "\"capitalise\" is no service: did you mean capitalize? There are capitalize, echo, ")]
    [InlineData("serve ECHO tcp://127.0.0.1:0", "\"ECHO\" is no service: did you mean echo? There are capitalize, echo, ")]
    [InlineData("serve nosuch", "\"nosuch\" is no service: give one of capitalize, echo, ")]
    [InlineData("serve --model pol", "\"pol\" is no server model: did you mean pool? There are iterative, process, ")]
    [InlineData("serve --model nosuch", "\"nosuch\" is no server model: give one of iterative, process, ")]
    [InlineData("serve --engine iouring2", "\"iouring2\" is no engine: did you mean io_uring? There are auto, io_uring, epoll, portable")]
    [InlineData("serve --engine e-poll", "\"e-poll\" is no engine: did you mean epoll? There are auto, io_uring, epoll, portable")]
    [InlineData("serve --engine select", "\"select\" is no engine: give one of auto, io_uring, epoll, portable")]
    [InlineData("impair udp://127.0.0.1:0 udp://127.0.0.1:9 --like wfi", "\"wfi\" is no profile: did you mean wifi? There are ")]
    [InlineData("help sreve", "\"sreve\" is no command: did you mean serve? There are serve, ask, ")]
    [InlineData("help demo nagel", "\"nagel\" is no command: did you mean nagle? There are backlog, ")]
    [InlineData("-l 7000", "-l is no option: to listen is a verb, as in doorbell listen tcp://localhost:7000 (")]
    [InlineData("listen -p 7000", "-p is no option: a port stands in the endpoint, as in tcp://localhost:7000")]
    [InlineData("connect -u localhost 7000", "-u is no option: UDP is the endpoint's scheme, as in udp://localhost:7000")]
    [InlineData("listen -lvp 7000", "-lvp is no option: to listen is a verb")]
    [InlineData("connect -c true localhost 7000", "-c is no option: a command for the shell stands behind --shell")]
    [InlineData("connect -d localhost 7000", "-d is no option: to read no standard input, write </dev/null")]
    [InlineData("completion zhs", "\"zhs\" is no shell that is known here: did you mean zsh?")]
    [InlineData("completion nosuch", "\"nosuch\" is no shell that is known here: give one of bash, zsh, fish, powershell (")]
    [InlineData("help ask x", "\"x\" is one word too many: ask has no verbs of its own")]
    public void A_mistyped_name_is_told_with_the_near_one(string arguments, string expected)
    {
        Ended ended = Doorbells.Run("native", "", arguments.Split(' '));
        Assert.Equal((2, ""), (ended.ExitCode, ended.Output));
        Assert.StartsWith($"doorbell: {expected}", ended.Error, StringComparison.Ordinal);
        Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>What people type who have another tool in mind, or forget a part.</summary>
    [Theory]
    [InlineData("ask localhost hello", "localhost has no port: give it too, as in ask localhost 6789 hello; ")]
    [InlineData("ask 127.0.0.1", "127.0.0.1 has no port: give it too, as in ask 127.0.0.1 6789 hello; ")]
    [InlineData("ask localhost:nosuchservice hello", "\"localhost:nosuchservice\" is no endpoint: \"nosuchservice\" is no port: ")]
    [InlineData("connect", "ENDPOINT is missing (doorbell connect --help lists what there is)")]
    [InlineData("ask http://localhost/ hello", "\"http://localhost/\" is no endpoint: the scheme must be ")]
    [InlineData(
        "connect tcp:/localhost:6789",
        "\"tcp:/localhost:6789\" is no endpoint: two slashes stand behind tcp:, as in tcp://localhost:6789")]
    [InlineData("ask fd://3 hello", "fd://3 is a place to listen, not one to connect to: name a host and a port")]
    [InlineData("connect fd://3", "fd://3 is a place to listen, not one to connect to: name a host and a port")]
    [InlineData("connect tcp://*:80", "tcp://*:80 is a place to listen, not one to connect to: name a host and a port")]
    [InlineData("connect /tmp/door", "\"/tmp/door\" is no endpoint: a path takes its scheme, as in unix:/tmp/door")]
    [InlineData(
        "impair udp://127.0.0.1:0 udp://127.0.0.1:9 --control /tmp/x",
        "\"/tmp/x\" is no endpoint: a path takes its scheme, as in unix:/tmp/x")]
    [InlineData(
        "serve tcp://127.0.0.1:0 echo",
        "the service stands before its endpoints, as in serve echo tcp://127.0.0.1:0; another one behind a +")]
    public void A_slip_is_told_with_what_is_meant(string arguments, string expected)
    {
        Ended ended = Doorbells.Run("native", "", arguments.Split(' '));
        Assert.Equal((2, ""), (ended.ExitCode, ended.Output));
        Assert.StartsWith($"doorbell: {expected}", ended.Error, StringComparison.Ordinal);
        Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [InlineData("nosuch", $"\"nosuch\" is no command: give one of {Verbs}")]
    [InlineData("", $"a command is missing: give one of {Verbs}")]
    [InlineData("aks", "\"aks\" is no command: did you mean ask?")]
    [InlineData("conn", "\"conn\" is no command: did you mean connect?")]
    [InlineData("demo nagel", "\"nagel\" is no command: did you mean nagle?")]
    [InlineData("connect --timout 3 tcp://h:1", "--timout is no option: did you mean --timeout?")]
    [InlineData("connect --timout=3 tcp://h:1", "--timout=3 is no option: did you mean --timeout?")]
    [InlineData(
        "ask --jsno tcp://h:1", "--jsno is no option: did you mean --json? A text that begins with a hyphen stands behind --")]
    [InlineData("bench nosuch", "\"nosuch\" is no command: give one of models")]
    [InlineData("impair", "LISTEN is missing")]
    [InlineData("impair 7000", "UPSTREAM is missing")]
    [InlineData("connect", "ENDPOINT is missing")]
    [InlineData("listen", "ENDPOINT is missing")]
    [InlineData("impair 1 2 3", "\"3\" is one word too many")]
    [InlineData("--nosuch", "--nosuch is no option")]
    [InlineData("[suggest:3] ser", $"\"[suggest:3]\" is no command: give one of {Verbs}")]
    [InlineData("[env:X=1]", $"\"[env:X=1]\" is no command: give one of {Verbs}")]
    [InlineData("ask --nosuch tcp://h:1 x", "--nosuch is no option; a text that begins with a hyphen stands behind --")]
    [InlineData("ask -9 tcp://127.0.0.1:1", "-9 is no option; a text that begins with a hyphen stands behind --")]
    [InlineData("ask tcp://127.0.0.1:1 --nosuch=3", "--nosuch=3 is no option; a text that begins with a hyphen stands behind --")]
    [InlineData("connect --nosuch tcp://127.0.0.1:1", "--nosuch is no option")]
    [InlineData("connect tcp://127.0.0.1:1 -q", "-q is no option")]
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
            [] or ["nosuch" or "aks" or "conn"] or ["--nosuch"] or [['[', ..], ..] => "",
            ["demo" or "bench", not ("nosuch" or "nagel"), ..] => $"{words[0]} {words[1]} ",
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
