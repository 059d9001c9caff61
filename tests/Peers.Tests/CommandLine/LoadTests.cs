using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Doorbell.Tests;

/// <summary><c>doorbell load</c>: what it sends, how it counts, and how it ends.</summary>
public sealed class LoadTests
{
    [Theory]
    [InlineData("tcp", "--connections", "20")]
    [InlineData("tcp", "--connections", "3", "--pipeline", "16")]
    [InlineData("tcp", "--connections", "5", "--reconnect")]
    [InlineData("tcp", "--connections", "2", "--size", "100k", "--pipeline", "3")]
    [InlineData("tcp", "--rate", "500", "--connections", "4")]
    [InlineData("tcp", "--rate", "500", "--connections", "4", "--reconnect")]
    [InlineData("tcp", "--rate", "800", "--ramp", "200ms", "--connections", "10")]
    [InlineData("unix", "--connections", "4", "--pipeline", "2")]
    public void Each_answer_is_compared_and_counted(string scheme, params string[] options)
    {
        using Scratch socket = new(".sock");
        string listen = scheme == "unix" ? $"unix://{socket.Path}" : $"{scheme}://127.0.0.1:0";
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", listen);
        using (server)
        {
            JsonElement summary = Load([$"{endpoint}", .. options, "--duration", "500ms", "--expect", "capitals"]);
            Assert.True(summary.GetProperty("requests").GetInt64() > 0, $"{summary}");
            Assert.Empty(summary.GetProperty("errors").EnumerateObject());
            Assert.Equal(0, summary.GetProperty("unsent").GetInt64());
            Assert.Equal(summary.GetProperty("bytesSent").GetInt64(), summary.GetProperty("bytesReceived").GetInt64());
        }
    }

    /// <summary>Who asks for 200 connections and gets 20 has measured something else.</summary>
    [Fact]
    public void Connections_that_this_machine_could_not_open_make_the_exit_code_1()
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", "tcp://127.0.0.1:0");
        using (server)
        {
            Ended ended = Program.Run("sh", ["-c",
                $"ulimit -n 60; '{Doorbells.File("native")}' load --connections 200 --duration 300ms {endpoint}"]);
            Assert.Equal(1, ended.ExitCode);
            Assert.Matches(
                @"^doorbell: load tcp://127\.0\.0\.1:\d+: \d+ tries to connect failed with EMFILE \(Too many open files\), .*`ulimit -n`",
                ended.Error);
        }
    }

    /// <summary>Requests are due evenly from the beginning of the window, the first at its beginning.</summary>
    [Fact]
    public void An_open_loop_asks_as_often_as_it_says()
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", "tcp://127.0.0.1:0");
        using (server)
        {
            JsonElement summary = Load([$"{endpoint}", "--rate", "400", "--connections", "8", "--warmup", "100ms", "--duration", "1"]);
            Assert.InRange(summary.GetProperty("requests").GetInt64() + summary.GetProperty("unsent").GetInt64(), 399, 401);
        }
    }

    /// <summary>
    /// Coordinated omission: a server that stops for 500 ms keeps some 100 of 400 questions waiting, 250 ms each on average. Who counts
    /// from the sending on sees one late answer for each connection.
    /// </summary>
    [Fact]
    public async Task A_question_that_had_to_wait_for_its_sending_has_waited()
    {
        using Socket listener = Listen();
        Task server = Task.Run(() =>
        {
            using Socket connection = listener.Accept();
            byte[] buffer = new byte[1000];
            using ManualResetEventSlim never = new();
            int stalls = 0;
            for (int count = connection.Receive(buffer); count > 0; count = connection.Receive(buffer))
            {
                if (++stalls == 50)
                {
                    never.Wait(500);
                }

                connection.Send(buffer.AsSpan(0, count));
            }
        });
        JsonElement summary = Load([$"tcp://{listener.LocalEndPoint}", "--rate", "200", "--duration", "2", "--expect", "echo"]);
        await server;
        JsonElement latency = summary.GetProperty("latencyMicroseconds");
        Assert.Equal(400, summary.GetProperty("requests").GetInt64());
        Assert.InRange(latency.GetProperty("max").GetDouble(), 450_000, 5_000_000);
        Assert.True(latency.GetProperty("p90").GetDouble() > 150_000, $"{summary}");
    }

    [Theory]
    [InlineData("line", "one\n", 0)]
    [InlineData("bytes:8", "one\ntwo\n", 0)]
    [InlineData("until:.\\r\\n", "one\r\ntwo\r\n.\r\n", 0)]
    [InlineData("until:aab", "xaaab", 0)]
    [InlineData("echo", "hello\n", 0)]
    [InlineData("capitals", "HELLO\n", 0)]
    [InlineData("capitals", "HELLo\n", 1)]
    [InlineData("echo", "HELLO\n", 1)]
    [InlineData("line", "one\ntwo\n", 1)]
    public async Task The_form_of_the_answer_is_kept_however_it_is_cut(string form, string answer, int exitCode)
    {
        using Socket listener = Listen();
        Task server = Task.Run(() =>
        {
            using Socket connection = listener.Accept();
            connection.NoDelay = true;
            byte[] buffer = new byte[1000];
            try
            {
                while (connection.Receive(buffer) > 0)
                {
                    foreach (byte letter in Encoding.ASCII.GetBytes(answer))
                    {
                        connection.Send([letter]);
                    }
                }
            }
            catch (SocketException)
            {
                // A load that has got what it did not ask for goes.
            }
        });
        Ended ended = Doorbells.Run(
            "native", "", "load", $"tcp://{listener.LocalEndPoint}", "hello", "--expect", form, "--duration", "200ms", "--json");
        Assert.True(ended.ExitCode == exitCode, $"{ended}");
        await server;
    }

    [Theory]
    [InlineData("end", "whatever")]
    [InlineData("line", "a line\n")]
    public async Task A_server_that_ends_each_connection_takes_a_new_one_for_each_question(string form, string answer)
    {
        using Socket listener = Listen();
        Task server = Task.Run(() =>
        {
            byte[] buffer = new byte[1000];
            try
            {
                while (true)
                {
                    using Socket connection = listener.Accept();
                    _ = connection.Receive(buffer);
                    connection.Send(Encoding.ASCII.GetBytes(answer));
                }
            }
            catch (SocketException)
            {
                // The test is over.
            }
        });
        JsonElement summary = Load(
            [$"tcp://{listener.LocalEndPoint}", "hello", "--reconnect", "--expect", form, "--duration", "300ms"]);
        listener.Dispose();
        await server;
        Assert.True(summary.GetProperty("requests").GetInt64() > 2, $"{summary}");
        Assert.Empty(summary.GetProperty("errors").EnumerateObject());
    }

    [Fact]
    public void What_is_not_answered_in_time_has_failed_and_nothing_else_came()
    {
        using Socket listener = Listen();
        Ended ended = Doorbells.Run(
            "native", "", "load", $"tcp://{listener.LocalEndPoint}", "--timeout", "200ms", "--duration", "500ms", "--json");
        Assert.Equal(1, ended.ExitCode);
        Assert.Contains("no question was answered", ended.Error, StringComparison.Ordinal);
        Assert.True(Summary(ended).GetProperty("errors").GetProperty("timeout").GetInt64() >= 1, ended.Output);
    }

    [Fact]
    public void Nobody_who_listens_is_told_at_once()
    {
        using Socket bound = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Ended ended = Doorbells.Run("native", "", "load", $"tcp://{bound.LocalEndPoint}", "--connections", "5", "--duration", "1h");
        Assert.Equal((1, ""), (ended.ExitCode, ended.Output));
        Assert.Contains("ECONNREFUSED", ended.Error, StringComparison.Ordinal);
        Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task A_server_that_resets_is_counted_and_asked_again()
    {
        using Socket listener = Listen();
        Task server = Task.Run(() =>
        {
            byte[] buffer = new byte[1000];
            try
            {
                while (true)
                {
                    Socket connection = listener.Accept();
                    _ = connection.Receive(buffer);
                    connection.LingerState = new LingerOption(true, 0);
                    connection.Close();
                }
            }
            catch (SocketException)
            {
                // The test is over.
            }
        });
        Ended ended = Doorbells.Run("native", "", "load", $"tcp://{listener.LocalEndPoint}", "--duration", "500ms", "--json");
        listener.Dispose();
        await server;
        Assert.Equal(1, ended.ExitCode);
        Assert.True(Summary(ended).GetProperty("errors").GetProperty("reset").GetInt64() >= 2, ended.Output);
    }

    /// <summary>Nothing is expected of discard, and what it takes is all that counts.</summary>
    [Fact]
    public void Nothing_can_be_expected()
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "discard", "tcp://127.0.0.1:0");
        using (server)
        {
            JsonElement summary = Load([$"{endpoint}", "--size", "64k", "--pipeline", "4", "--expect", "nothing", "--duration", "500ms"]);
            Assert.True(summary.GetProperty("bytesSent").GetInt64() > 1_000_000, $"{summary}");
            Assert.Equal(0, summary.GetProperty("bytesReceived").GetInt64());
        }
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void A_signal_ends_it_early_with_what_it_has_found(string signal)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", "tcp://127.0.0.1:0");
        using (server)
        using (Program load = Doorbells.Start("native", "load", $"{endpoint}", "--duration", "1h", "--json"))
        {
            load.WaitForLine("measuring");
            load.Signal(signal);
            Ended ended = load.WaitForEnd();
            JsonElement summary = Summary(ended);
            Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
            Assert.True(summary.GetProperty("interrupted").GetBoolean());
            Assert.InRange(summary.GetProperty("seconds").GetDouble(), 0, 60);
        }
    }

    [Theory]
    [InlineData("xterm", true)]
    [InlineData("dumb", false)]
    public void A_terminal_shows_how_it_is_getting_on(string kind, bool shows)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", "tcp://127.0.0.1:0");
        using (server)
        {
            string command = $"{Doorbells.File("native")} load {endpoint} --duration 2";
            Ended ended = Program.Run("env", [$"TERM={kind}", "script", "-qec", command, "/dev/null"]);
            Assert.True(ended.ExitCode == 0, $"{ended}");
            Assert.Equal(shows, ended.Output.Contains(" of 2 s ", StringComparison.Ordinal));
            Assert.Equal(shows, ended.Output.Contains("\u001b[K", StringComparison.Ordinal));
            Assert.Contains("latency", ended.Output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("svg")]
    [InlineData("png")]
    public void It_draws_what_it_has_found(string extension)
    {
        using Scratch file = new($".{extension}");
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", "tcp://127.0.0.1:0");
        using (server)
        {
            Ended ended = Doorbells.Run("native", "", "load", $"{endpoint}", "--duration", "500ms", "--plot", file.Path);
            Assert.True(ended.ExitCode == 0, $"{ended}");
            byte[] picture = File.ReadAllBytes(file.Path);
            Assert.True(picture.Length > 1000);
            if (extension == "svg")
            {
                Assert.Contains("Latency by percentile", Encoding.UTF8.GetString(picture), StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("exclude each other", "hello", "--size", "10")]
    [InlineData("--reconnect", "--reconnect", "--pipeline", "2")]
    [InlineData("--reconnect", "--expect", "end")]
    [InlineData("--expect", "--expect", "nothing at all")]
    public void Options_that_make_no_sense_are_refused(string why, params string[] options)
    {
        Ended ended = Doorbells.Run("native", "", ["load", "tcp://127.0.0.1:1", .. options]);
        Assert.Equal((2, ""), (ended.ExitCode, ended.Output));
        Assert.Contains(why, ended.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("LoadOptions", ended.Error, StringComparison.Ordinal);
    }

    private static Socket Listen()
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        return listener;
    }

    private static JsonElement Load(string[] arguments)
    {
        Ended ended = Doorbells.Run("native", "", ["load", .. arguments, "--json"]);
        Assert.True(ended.ExitCode == 0, $"{ended}");
        return Summary(ended);
    }

    private static JsonElement Summary(Ended ended) => ended.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(static line => JsonDocument.Parse(line).RootElement)
        .Single(static line => line.GetProperty("event").GetString() == "summary");
}
