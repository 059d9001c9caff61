using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary><c>serve --takeover</c> when the old server is busy, or short of descriptors.</summary>
public sealed class TakeoverTests
{
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
