using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary><c>serve --takeover</c> when the old server is busy, short of descriptors, or killed, and when the doors differ.</summary>
public sealed class TakeoverTests
{
    private static readonly string _script = Path.Combine(Repository.Root, "tests", "peers", "python", "takeover.py");

    [Theory]
    [InlineData("held")]
    [InlineData("asked")]
    [InlineData("sent")]
    [InlineData("sent-all")]
    [InlineData("ready")]
    [InlineData("gone")]
    [InlineData("told")]
    public void An_old_server_that_is_killed_at_any_moment_has_an_heir_that_can_be_taken_over(string step)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        int port = Ports.Free("tcp");
        string endpoint = $"tcp://127.0.0.1:{port}";
        using Program old = Program.Start("python3", _script, "old", step, path, $"{port}");
        old.WaitForLine("listening");
        if (step == "held")
        {
            old.Input.Write("\n"u8);
            old.Input.Flush();
        }

        using Program next = Doorbells.Start("native", "serve", endpoint, "--takeover", path);
        next.WaitForLine("serving ");
        Assert.Equal("FROM SERVER: HI\n", Doorbells.Run("native", "", "ask", endpoint, "hi").Output);
        RequireSuccession(next, endpoint, path);
    }

    [Theory]
    [InlineData("asked")]
    [InlineData("sent")]
    [InlineData("sent-all")]
    [InlineData("ready")]
    [InlineData("gone")]
    public void A_new_server_that_is_killed_at_any_moment_leaves_the_old_one_as_it_was(string step)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        (Program old, Endpoint endpoint) = Doorbells.Serve("native", "tcp://127.0.0.1:0", "--takeover", path);
        using (old)
        {
            Waiting.Until(() => File.Exists(path), "no takeover path");
            Assert.Equal(137, Program.Run("python3", [_script, "new", step, path]).ExitCode);
            old.WaitForError("nothing handed over");
            Assert.Equal("FROM SERVER: HI\n", Doorbells.Run("native", "", "ask", endpoint.ToString(), "hi").Output);
            Waiting.Until(() => File.Exists(path), "the takeover path has not come back");
            RequireSuccession(old, endpoint.ToString(), path);
        }
    }

    [Fact]
    public void A_mistyped_endpoint_takes_nothing_over_and_the_difference_is_said()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        string door = path + "d";
        (Program old, Endpoint endpoint) = Doorbells.Serve("native", "tcp://127.0.0.1:0", $"unix://{door}", "--takeover", path);
        using (old)
        {
            Waiting.Until(() => File.Exists(path), "no takeover path");
            string other = $"tcp://127.0.0.1:{Ports.Free("tcp")}";
            Ended refused = Doorbells.Run("native", "", "serve", other, "--takeover", path);
            Assert.Equal((2, ""), (refused.ExitCode, refused.Output));
            string line = Assert.Single(refused.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
            Assert.Contains($"has {endpoint} and unix://{door}, and this server would not serve that, but {other}", line,
                StringComparison.Ordinal);
            Assert.Contains("--takeover-changes", line, StringComparison.Ordinal);
            old.WaitForError("nothing handed over");
            Assert.Equal("FROM SERVER: HI\n", Doorbells.Run("native", "", "ask", endpoint.ToString(), "hi").Output);

            using Program next = Doorbells.Start("native", "serve", other, "--takeover", path, "--takeover-changes");
            Assert.EndsWith(
                $"; in addition: {other}; nobody serves any more: {endpoint}, unix://{door}", next.WaitForLine("took the listening"),
                StringComparison.Ordinal);
            Assert.Equal(0, old.WaitForEnd().ExitCode);
            Assert.False(File.Exists(door));
            Assert.Equal("FROM SERVER: HI\n", Doorbells.Run("native", "", "ask", other, "hi").Output);
        }
    }

    [Fact]
    public void A_unix_socket_keeps_its_file_when_it_is_handed_over()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        string door = $"unix://{path}d";
        (Program old, _) = Doorbells.Serve("native", door, "--takeover", path);
        using (old)
        {
            Waiting.Until(() => File.Exists(path), "no takeover path");
            using Program next = Doorbells.Start("native", "serve", door, "--takeover", path);
            next.WaitForLine("took the listening");
            Assert.Equal(0, old.WaitForEnd().ExitCode);
            Assert.Equal("FROM SERVER: HI\n", Doorbells.Run("native", "", "ask", door, "hi").Output);
            next.Signal("TERM");
            Assert.Contains("served 1 connection", next.WaitForEnd().Output, StringComparison.Ordinal);
            Assert.False(File.Exists(path + "d"));
        }
    }

    [Theory]
    [InlineData("async")]
    [InlineData("loop")]
    [InlineData("prefork")]
    public void The_old_server_ends_though_clients_keep_coming(string model)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        (Program old, Endpoint endpoint) = Doorbells.Serve(
            "native", "tcp://127.0.0.1:0", "--takeover", path, "--model", model, "--drain", "600");
        using CancellationTokenSource enough = new();
        Task<int>[] clients = [.. Enumerable.Range(0, 16).Select(_ => Task.Factory.StartNew(
            () => AskUntil(endpoint, enough.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        using (old)
        {
            using Program next = Doorbells.Start("native", "serve", endpoint.ToString(), "--takeover", path, "--model", model);
            next.WaitForLine("took the listening sockets over");
            Assert.Contains("handed the listening sockets over", old.WaitForEnd().Output, StringComparison.Ordinal);
            enough.Cancel();
            Assert.All(clients, static client => Assert.True(client.GetAwaiter().GetResult() > 0));
            next.Signal("TERM");
            Assert.Equal(0, next.WaitForEnd().ExitCode);
        }
    }

    [Fact]
    public void A_server_that_was_out_of_descriptors_can_still_be_taken_over()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        using Program old = Program.Start(
            "prlimit", "--nofile=48", Doorbells.File("native"), "serve", "tcp://127.0.0.1:0", "--takeover", path);
        string line = old.WaitForLine("serving ");
        Endpoint endpoint = Endpoint.Parse(line[(line.LastIndexOf(' ') + 1)..]);
        List<TcpClient> clients = [.. Enumerable.Range(0, 48).Select(_ => new TcpClient("127.0.0.1", endpoint.Port))];
        old.WaitForError("EMFILE");
        using (Socket early = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            early.Connect(new UnixDomainSocketEndPoint(path));
            old.WaitForError($"{path}: EMFILE");
        }

        clients.ForEach(static client => client.Dispose());
        using Program next = Doorbells.Start("native", "serve", endpoint.ToString(), "--takeover", path);
        next.WaitForLine("took the listening sockets over");
        Assert.Equal(0, old.WaitForEnd().ExitCode);
    }

    private static void RequireSuccession(Program old, string endpoint, string path)
    {
        using Program next = Doorbells.Start("native", "serve", endpoint, "--takeover", path);
        next.WaitForLine("took the listening sockets over");
        Assert.Equal(0, old.WaitForEnd().ExitCode);
        Assert.Equal("FROM SERVER: HI\n", Doorbells.Run("native", "", "ask", endpoint, "hi").Output);
        next.Signal("TERM");
        Assert.Equal(0, next.WaitForEnd().ExitCode);
        Assert.False(File.Exists(path));
    }

    /// <summary>A connection for each question; none may be lost.</summary>
    private static int AskUntil(Endpoint endpoint, CancellationToken enough)
    {
        int asked = 0;
        byte[] answer = new byte[3];
        for (; !enough.IsCancellationRequested; asked++)
        {
            using TcpClient client = new("127.0.0.1", endpoint.Port) { ReceiveTimeout = 20_000 };
            client.GetStream().Write("hi\n"u8);
            client.GetStream().ReadExactly(answer);
        }

        return asked;
    }
}
