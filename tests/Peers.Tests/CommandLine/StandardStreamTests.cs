using System.Net;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>
/// Every state that a standard stream can be in, with every verb that uses it. What does not depend on who started the command is done;
/// what can't be done is told in one line, which names the stream, and exit code 1.
/// </summary>
public sealed class StandardStreamTests(StandardStreamTests.Servers servers) : IClassFixture<StandardStreamTests.Servers>, IDisposable
{
    private const string Hello = "hello";

    /// <summary>How the shell gives a state to COMMAND, and what the state does to one that writes more than a pipe holds.</summary>
    private static readonly Dictionary<string, (string Script, string? Error)> _outputs = new()
    {
        ["closed"] = ("COMMAND >&-", "write standard output: it is closed"),
        ["/dev/null"] = ("COMMAND >/dev/null", null),
        ["/dev/full"] = ("COMMAND >/dev/full", "write standard output: ENOSPC: No space left on device"),
        ["a file"] = ("COMMAND >output; wc -c <output >&2", null),
        ["a file opened for reading"] = ("COMMAND 1</dev/null", "write standard output: EBADF: Bad file descriptor"),
        ["a pipe whose reader has gone"] = ("PYTHON gone COMMAND", "write standard output: EPIPE: Broken pipe"),
        ["a full pipe that is read later"] = ("PYTHON full COMMAND", null),
        ["a full non-blocking pipe that is read later"] = ("PYTHON full-nonblocking COMMAND", null),
        ["a terminal"] = ("script -qec \"COMMAND\" /dev/null >/dev/null", null),
    };

    private static readonly Dictionary<string, (string Script, string? Error)> _inputs = new()
    {
        ["closed"] = ("COMMAND <&-", null),
        ["/dev/null"] = ("COMMAND </dev/null", null),
        ["a file"] = ("printf 'hello\\n' >input; COMMAND <input", null),
        ["a folder"] = ("COMMAND </", "read standard input: EISDIR: Is a directory"),
        ["a file opened for writing"] = ("COMMAND 0>input", "read standard input: EBADF: Bad file descriptor"),
        ["a pipe"] = ("printf 'hello\\n' | COMMAND", null),
        ["a non-blocking pipe that is written later"] = ("PYTHON input-nonblocking COMMAND", null),
        ["a terminal"] = ("(printf 'hello\\n'; printf '\\004') | script -qec \"COMMAND\" /dev/null", null),
    };

    /// <summary>Verbs, with what they say to whom: TCP and UDP are a server's addresses that answers in upper case.</summary>
    private static readonly Dictionary<string, string> _verbs = new()
    {
        ["connect"] = "DOORBELL connect TCP",
        ["connect, datagrams"] = "DOORBELL connect UDP",
        ["ask"] = "DOORBELL ask TCP",
        ["ask, datagrams"] = "DOORBELL ask UDP",
        ["ask, CoAP"] = "DOORBELL ask COAP/capitalize",
        ["connect --idle-timeout"] = "DOORBELL connect --idle-timeout 30 TCP",
        ["ask --half-close"] = "DOORBELL ask --half-close TCP",
        ["ask --until"] = "DOORBELL ask --until HELLO --reconnect TCP",
        ["ask --raw"] = "DOORBELL ask --raw TCP",
        ["ask --json"] = "DOORBELL ask --json TCP",
        ["ask --raw, CoAP"] = "DOORBELL ask --raw COAP/capitalize",
        ["listen"] = "DOORBELL listen unix:socket",
        ["probe"] = "DOORBELL probe TCP",
        ["probe --json"] = "DOORBELL probe --json TCP",
        ["load"] = "DOORBELL load TCP --duration 0.2",
        ["load --json"] = "DOORBELL load --json TCP --duration 0.2",
        ["options"] = "DOORBELL options",
        ["options --json"] = "DOORBELL options --json",
        ["demo"] = "DOORBELL demo nagle",
        ["bench"] = "DOORBELL bench models --seconds 2",
        ["--help"] = "DOORBELL --help",
        ["help"] = "DOORBELL help serve",
        ["version"] = "DOORBELL version",
        ["help --man"] = "DOORBELL help --man",
        ["completion"] = "DOORBELL completion zsh",
        ["ask --help"] = "DOORBELL ask --help",
        ["--version"] = "DOORBELL --version",
    };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();

    private static readonly string[] _readers =
        [
        "connect", "connect, datagrams", "ask", "ask, datagrams", "ask, CoAP", "ask --raw", "ask --json", "ask --raw, CoAP",
        "connect --idle-timeout", "ask --half-close", "ask --until", "listen",
    ];

    /// <summary>The bench measures for seconds before it prints: one state stands for all.</summary>
    public static TheoryData<string, string> Outputs => [.. _verbs.Keys
        .SelectMany(static verb => _outputs.Keys.Select(state => (verb, state)))
        .Where(static both => both.verb != "bench" || both.state is "closed")];

    public static TheoryData<string, string> Inputs =>
        [.. _readers.SelectMany(static verb => _inputs.Keys.Select(state => (verb, state)))];

    /// <summary>Each set of the three descriptors, with verbs that serve. A model of processes starts others, too.</summary>
    public static TheoryData<string, string> Closed => [.. Enumerable.Range(1, 7)
        .Select(static set => string.Join(' ', new[] { "<&-", ">&-", "2>&-" }.Where((_, descriptor) => (set & (1 << descriptor)) != 0)))
        .SelectMany(static closed => new[] { "serve tcp://127.0.0.1:PORT", "serve tcp://127.0.0.1:PORT --model process" }
            .Select(verb => (verb, closed)))];

    public static TheoryData<string> Readers => [.. _readers];

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(Outputs))]
    public void Standard_output_that_takes_it_gets_it_and_one_that_does_not_is_told_of(string verb, string state)
    {
        (string script, string? error) = _outputs[state];
        Ended ended = Run(verb, $"printf '{Hello}\\n' | ({script})");
        Assert.Equal(error is null ? 0 : 1, ended.ExitCode);
        if (error is not null)
        {
            Assert.Contains("doorbell: " + error, ended.Error, StringComparison.Ordinal);
            Assert.True(ended.Error.TrimEnd().Split('\n').Length == 1, ended.Error);
        }
    }

    [Theory]
    [MemberData(nameof(Inputs))]
    public void Standard_input_is_read_to_its_end_and_one_that_can_not_be_read_is_told_of(string verb, string state)
    {
        (string script, string? error) = _inputs[state];
        Ended ended = Run(verb, script);
        Assert.Equal(error is null ? 0 : 1, ended.ExitCode);
        if (error is not null)
        {
            Assert.Contains("doorbell: " + error, ended.Error, StringComparison.Ordinal);
            Assert.True(ended.Error.TrimEnd().Split('\n').Length == 1, ended.Error);
        }
        else if (state is not ("closed" or "/dev/null"))
        {
            Assert.Contains("HELLO", ended.Output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Readers))]
    public void The_first_write_that_fails_ends_it_however_much_there_is_to_ask(string verb)
    {
        Ended ended = Run(verb, "yes hello | (COMMAND; echo $? >code) | head -1; cat code");
        Assert.EndsWith("\n1\n", ended.Output, StringComparison.Ordinal);
        Assert.Contains("write standard output: EPIPE: Broken pipe; whoever read it has gone", ended.Error, StringComparison.Ordinal);
    }

    /// <summary>The flag is the open file description's, so that a switch would reach the program that made it so.</summary>
    [Theory]
    [InlineData("connect")]
    [InlineData("ask")]
    public void A_stream_that_another_program_has_made_non_blocking_stays_so(string verb) =>
        Assert.Equal("kept\n", Run(verb, "PYTHON kept COMMAND").Output);

    /// <summary>The runtime's own descriptors must not get the numbers of those that are closed.</summary>
    [Theory]
    [MemberData(nameof(Closed))]
    public void A_server_without_some_or_all_of_its_standard_streams_serves_and_ends_in_order(string verb, string closed)
    {
        string server = verb.Replace("PORT", "$port", StringComparison.Ordinal);
        string script = $$"""
            port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
            (exec DOORBELL {{server}} {{closed}}) & server=$!
            until DOORBELL ask tcp://127.0.0.1:$port hello >answer 2>/dev/null; do kill -0 $server || exit 9; done
            cat answer
            kill -TERM $server
            wait $server
            """;
        Ended ended = Run("options", script.Replace("DOORBELL", Doorbells.File("native"), StringComparison.Ordinal));
        Assert.Contains("FROM SERVER: HELLO\n", ended.Output, StringComparison.Ordinal);
        Assert.Equal(0, ended.ExitCode);
    }

    [Theory]
    [InlineData("a non-blocking pipe", "PYTHON big-nonblocking COMMAND")]
    [InlineData("a pipe", "PYTHON big COMMAND")]
    public void A_slow_reader_of_much_output_gets_all_of_it(string state, string script)
    {
        Assert.NotEmpty(state);
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using Program joined = Start(script, $"{Doorbells.File("native")} connect tcp://{listener.LocalEndPoint}");
        using Socket connection = listener.Accept();
        connection.Send(new byte[3_000_000]);
        connection.Shutdown(SocketShutdown.Send);
        Assert.Equal("3000000\n", joined.WaitForEnd().Output);
    }

    private Ended Run(string verb, string script)
    {
        string command = _verbs[verb]
            .Replace("DOORBELL", Doorbells.File("native"), StringComparison.Ordinal)
            .Replace("TCP", servers.Tcp, StringComparison.Ordinal)
            .Replace("UDP", servers.Udp, StringComparison.Ordinal)
            .Replace("COAP", servers.Coap, StringComparison.Ordinal);
        using Program program = Start(script, command);
        program.Input.Close();
        return program.WaitForEnd();
    }

    /// <summary>Joins who listens at the unix socket to the server, as soon as somebody does.</summary>
    private string Caller =>
        $"(for i in $(seq 500); do DOORBELL connect unix:socket --exec DOORBELL connect {servers.Tcp} && break; sleep 0.02; done) "
            .Replace("DOORBELL", Doorbells.File("native"), StringComparison.Ordinal) + "</dev/null >/dev/null 2>&1 & ";

    private Program Start(string script, string command)
    {
        string pipes = Path.Combine(Repository.Peers, "python", "standard_streams.py");
        string whole = script
            .Replace("COMMAND", command, StringComparison.Ordinal)
            .Replace("PYTHON", $"python3 '{pipes}'", StringComparison.Ordinal);
        string caller = command.Contains(" listen ", StringComparison.Ordinal) ? Caller : "";
        return Program.Start("bash", ["-c", $"set -o pipefail; cd '{_folder.FullName}'; {caller}{whole}"]);
    }

    /// <summary>Those that all verbs ask.</summary>
    public sealed class Servers : IDisposable
    {
        private readonly Program _server = Doorbells.Start("native", "serve", "tcp://127.0.0.1:0", "udp://127.0.0.1:0");
        private readonly Program _coap = Doorbells.Start("native", "serve", "coap://127.0.0.1:0");

        public Servers()
        {
            Tcp = _server.WaitForLine("serving ").Split(' ')[^1];
            Udp = _server.WaitForLine("serving ").Split(' ')[^1];
            Coap = _coap.WaitForLine("serving ").Split(' ')[^1];
        }

        public string Tcp { get; }

        public string Udp { get; }

        public string Coap { get; }

        public void Dispose()
        {
            _server.Dispose();
            _coap.Dispose();
        }
    }
}
