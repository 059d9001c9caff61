using System.Net.Sockets;
using System.Text.Json;

namespace Doorbell.Tests;

/// <summary><c>doorbell serve --config FILE</c>: JSON of ServerOptions' shape.</summary>
public sealed class ServeConfigurationTests
{
    public static TheoryData<string> Both => Doorbells.Both;

    [Theory]
    [MemberData(nameof(Both))]
    public void Doors_limits_model_and_engine_come_from_the_file(string kind)
    {
        using Scratch file = Written("""
            {
              "Doors": [
                { "Endpoint": "tcp://127.0.0.1:0", "Service": "echo" },
                { "Endpoint": "udp://127.0.0.1:0", "Service": "capitalize", "Limits": { "MaxDatagramBytes": 100 } },
                { "Endpoint": "coap://127.0.0.1:0", "Service": "capitalize", "Limits": { "MaxExchanges": 10, "BodyTimeout": "30s" } },
                { "Endpoint": "tcp://127.0.0.1:0", "Service": "echo", "Limits": { "IdleTimeout": "200ms" } }
              ],
              "MaxConnections": 10,
              "Model": "loop:1",
              "Engine": "Epoll",
              "ListenBacklog": 7,
              "SocketOptions": [ "TCP_NODELAY=1" ]
            }
            """);
        using Program server = Doorbells.Start(kind, "serve", "--config", file.Path, "--json");
        JsonElement[] doors = [.. Enumerable.Range(0, 4).Select(_ => JsonDocument.Parse(server.WaitForLine("listening")).RootElement)];
        Assert.All(doors, static door => Assert.Equal(
            ("loop", "epoll"), (door.GetProperty("model").GetString(), door.GetProperty("engine").GetString())));
        Assert.Equal(7, doors[0].GetProperty("backlog").GetInt32());
        string[] endpoints = [.. doors.Select(static door => door.GetProperty("endpoint").GetString()!)];
        Assert.Equal("FROM SERVER: hello\n", Doorbells.Run(kind, "", "ask", endpoints[0], "hello").Output);
        Assert.Equal("FROM SERVER: HELLO\n", Doorbells.Run(kind, "", "ask", endpoints[1], "hello").Output);
        Assert.Equal("FROM SERVER: HELLO\n", Doorbells.Run(kind, "", "ask", $"{endpoints[2]}/capitalize", "hello").Output);

        // The connection that says nothing is closed at the file's idle time-out, which is far shorter than the default of 5 minutes.
        using TcpClient idle = new("127.0.0.1", Endpoint.Parse(endpoints[3]).Port);
        idle.ReceiveTimeout = 60_000;
        Assert.Equal(0, idle.GetStream().Read(new byte[1]));
        server.Signal("TERM");
        Assert.Equal(0, server.WaitForEnd().ExitCode);
    }

    [Fact]
    public void A_service_with_endpoints_is_the_short_form_and_the_command_line_says_the_rest()
    {
        using Scratch file = Written("""{ "Service": "echo", "Endpoints": [ "tcp://127.0.0.1:0", "tcp://127.0.0.1:0" ] }""");
        using Program server = Doorbells.Start("native", "serve", "--config", file.Path, "--model", "pool", "--workers", "2");
        string[] doors = [.. Enumerable.Range(0, 2).Select(_ => server.WaitForLine("serving echo on ").Split(' ')[^1])];
        Assert.Equal(
            $"reachable from this machine only; to open it to others, give its endpoints the host * in {file.Path}",
            server.WaitForLine("reachable"));
        Assert.All(doors, static door => Assert.Equal("FROM SERVER: a\n", Doorbells.Run("native", "", "ask", door, "a").Output));
    }

    [Fact]
    public void A_file_that_names_no_service_leaves_that_to_the_command_line()
    {
        using Scratch file = Written("""{ "MaxConnections": 5, "Model": "async" }""");
        using Program server = Doorbells.Start("native", "serve", "echo", "tcp://127.0.0.1:0", "--config", file.Path, "--json");
        JsonElement door = JsonDocument.Parse(server.WaitForLine("listening")).RootElement;
        Assert.Equal(("echo", "async"), (door.GetProperty("service").GetString(), door.GetProperty("model").GetString()));
    }

    [Fact]
    public void Worker_processes_read_the_file_too()
    {
        using Scratch file = Written("""
            { "Doors": [ { "Endpoint": "tcp://127.0.0.1:0", "Service": "echo" },
                         { "Endpoint": "tcp://127.0.0.1:0", "Service": "capitalize" } ],
              "Model": "prefork:2" }
            """);
        using Program server = Doorbells.Start("native", "serve", "--config", file.Path);
        string echo = server.WaitForLine("serving echo on ").Split(' ')[^1];
        string capitalize = server.WaitForLine("serving capitalize on ").Split(' ')[^1];
        Assert.Equal("FROM SERVER: a\n", Doorbells.Run("native", "", "ask", echo, "a").Output);
        Assert.Equal("FROM SERVER: A\n", Doorbells.Run("native", "", "ask", capitalize, "a").Output);
        server.Signal("TERM");
        Assert.Equal(0, server.WaitForEnd().ExitCode);
    }

    [Theory]
    [InlineData("{", ":1: this is no JSON: it ends too early, perhaps without a closing } or ]")]
    [InlineData("[]", ":1: the file: it takes an object, as in { }, not a list")]
    [InlineData("{ \"Doors\": [ }\n", ":1: this is no JSON from \"}\" on")]
    [InlineData("{\n\"Doors\": nope }", ":2: this is no JSON from \"ope }\" on")]
    [InlineData("{ \"StreamLimits\": {\n\"MaxMessageBytes\": \"64q\" } }", ":2: StreamLimits.MaxMessageBytes: it takes a number of bytes")]
    [InlineData("{ \"StreamLimits\": {\n\"MinDataRate\": \"x\" } }", ":2: StreamLimits.MinDataRate: it takes a number of bytes")]
    [InlineData("{\n\"Nosuch\": 1 }", ":2: Nosuch: there is no such key: give one of Doors, ")]
    [InlineData("{\n\"Backlog\": 1, \"MaxConection\": 1 }", ":2: Backlog: there is no such key: give one of Doors, ")]
    [InlineData("{\n\"MaxConection\": 1 }", ":2: MaxConection: there is no such key: did you mean MaxConnections? There are ")]
    [InlineData(
        "{ \"Doors\": [ { \"Endpoint\": \"tcp://*:0\", \"Service\": \"echo\", \"Limits\": {\n\"MaxMessageBytes\": \"64q\" } } ] }",
        ":2: Doors[0].Limits.MaxMessageBytes: it takes a number of bytes from 1 on, as in 500, \"64k\" or \"16m\", not \"64q\"")]
    [InlineData("{ \"Doors\": [\n{ \"Endpoint\": \"nowhere\", \"Service\": \"echo\" } ] }", ":2: Doors[0].Endpoint: ")]
    [InlineData("{ \"Doors\": [ { \"Endpoint\": \"tcp://*:0\" } ] }", ":1: Doors[0]: it has no Service: give one, as in \"echo\"")]
    [InlineData("{ \"Doors\": [ { \"Service\": \"echo\" } ] }", ":1: Doors[0]: it has no Endpoint: ")]
    [InlineData("{ \"Doors\": [ { \"Endpoint\": \"tcp://*:0\", \"Service\": \"nosuch\" } ] }",
        ":1: Doors[0].Service: \"nosuch\" is no service")]
    [InlineData("{ \"Doors\": [ { \"Endpoint\": \"tcp://*:0\", \"Service\": \"echo\", \"Limits\": {\n\"IdleTimeout\": \"soon\" } } ] }",
        ":2: Doors[0].Limits.IdleTimeout: it takes a time with its unit, as in \"30s\" or \"200ms\", or \"infinite\", not \"soon\"")]
    [InlineData("{ \"Doors\": [ { \"Endpoint\": \"tcp://*:0\", \"Service\": \"echo\", \"Limits\": { \"IdleTimeout\": \"0s\" } } ] }",
        ":1: Doors[0].Limits.IdleTimeout: ")]
    [InlineData("{ \"Doors\": [ { \"Endpoint\": \"udp://*:0\", \"Service\": \"echo\", \"Limits\": { \"IdleTimeout\": \"1s\" } } ] }",
        ":1: Doors[0].Limits.IdleTimeout: there is no such key: ")]
    [InlineData("{ \"Doors\": [ { \"Endpoint\": \"tcp://*:0\", \"Service\": \"echo\", \"Access\": {\n\"Alow\": [] } } ] }",
        ":2: Doors[0].Access.Alow: there is no such key: ")]
    [InlineData("{ \"Doors\": [ { \"Endpoint\": \"tcp://*:0\", \"Service\": \"echo\", \"Access\": { \"Deny\": [\n\"nobody\" ] } } ] }",
        ":2: Doors[0].Access.Deny[0]: ")]
    [InlineData("{ \"StreamLimits\": {\n\"IdelTimeout\": \"1s\" } }", ":2: StreamLimits.IdelTimeout: there is no such key: ")]
    [InlineData("{ \"StreamLimits\": {\n\"IdleTimeout\": \"soon\" } }", ":2: StreamLimits.IdleTimeout: it takes a time")]
    [InlineData("{ \"MaxConnections\": 0 }", ":1: MaxConnections: it takes a whole number from 1 on, not 0")]
    [InlineData("{ \"MaxConnections\": \"5\" }", ":1: MaxConnections: it takes a whole number from 1 on, not \"5\"")]
    [InlineData("{ \"Engine\": \"kqueue\" }", ":1: Engine: \"kqueue\" is no engine: give one of auto, io_uring, epoll, portable")]
    [InlineData("{ \"Engine\": \"1\" }", ":1: Engine: \"1\" is no engine: ")]
    [InlineData("{ \"Model\": \"thread:4\" }", ":1: Model: The model thread has no fixed number of workers")]
    [InlineData("{ \"Model\": \"loop:0\" }", ":1: Model: \"loop:0\" is no server model: ")]
    [InlineData("{ \"SocketOptions\": [ \"TCP_NODELAYS=1\" ] }",
        ":1: SocketOptions[0]: \"TCP_NODELAYS\" is no socket option: did you mean TCP_NODELAY")]
    [InlineData("{ \"ReusePort\": true,\n \"ReusePort\": true }", ":2: ReusePort: it stands there twice: leave out one of them")]
    [InlineData("{ \"Endpoints\": [ \"tcp://*:0\" ] }", ":1: Endpoints: they have no service: give Service too")]
    public void What_is_wrong_is_named_with_its_key_and_line(string json, string expected)
    {
        using Scratch file = Written(json);
        AssertRefused(file.Path + expected, "serve", "--config", file.Path);
    }

    [Theory]
    [InlineData("4: MaxConnections: --max-connections on the command line says it too", "--max-connections", "5")]
    [InlineData("3: Model: --workers on the command line says it too", "--workers", "5")]
    [InlineData("2: Doors[0].Limits.IdleTimeout: --idle-timeout on the command line says it too", "--idle-timeout", "5")]
    [InlineData("2: Doors: SERVICE or ENDPOINT on the command line says what is served too", "echo")]
    [InlineData("2: Doors: SERVICE or ENDPOINT on the command line says what is served too", "tcp://127.0.0.1:0")]
    [InlineData("2: Doors: --exec on the command line says what is served too", "--exec", "cat")]
    [InlineData("2: Doors: --shell on the command line says what is served too", "--shell", "cat")]
    public void What_stands_on_the_command_line_too_is_refused(string expected, params string[] words)
    {
        using Scratch file = Written("""
            {
              "Doors": [ { "Endpoint": "tcp://127.0.0.1:0", "Service": "echo", "Limits": { "IdleTimeout": "30s" } } ],
              "Model": "loop",
              "MaxConnections": 10
            }
            """);
        AssertRefused($"{file.Path}:{expected}: leave out one of them", ["serve", "--config", file.Path, .. words]);
    }

    [Fact]
    public void A_file_that_is_not_there_is_said_so() =>
        AssertRefused("read nosuch.json: ENOENT (No such file or directory)", "serve", "--config", "nosuch.json");

    private static void AssertRefused(string expected, params string[] words)
    {
        Ended ended = Doorbells.Run("native", "", words);
        Assert.Equal((2, ""), (ended.ExitCode, ended.Output));
        Assert.StartsWith($"doorbell: {expected}", ended.Error, StringComparison.Ordinal);
        Assert.Equal(1, ended.Error.Count(static c => c == '\n'));
    }

    private static Scratch Written(string json)
    {
        Scratch file = new(".json");
        File.WriteAllText(file.Path, json);
        return file;
    }

    /// <summary>A limit that is new is not forgotten in the command's own list of keys.</summary>
    [Fact]
    public void Every_limit_of_a_connection_is_a_key_of_the_file()
    {
        IEnumerable<string> limits = typeof(StreamLimits).GetProperties().Where(static limit => limit.CanWrite)
            .Select(static limit => limit.Name);
        foreach (string name in limits)
        {
            string json = "{ \"Doors\": [ { \"Endpoint\": \"tcp://127.0.0.1:0\", \"Service\": \"echo\", \"Limits\": { \"" + name
                + "\": [] } } ] }";
            string file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".json");
            File.WriteAllText(file, json);
            Ended ended = Doorbells.Run("native", "", "serve", "--config", file);
            File.Delete(file);
            Assert.Equal(2, ended.ExitCode);
            Assert.Contains($"Doors[0].Limits.{name}: it takes a ", ended.Error, StringComparison.Ordinal);
        }
    }
}
