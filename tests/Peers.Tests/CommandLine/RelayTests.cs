using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Doorbell.Tests;

/// <summary>doorbell relay between real sockets, under every server model.</summary>
public sealed class RelayTests
{
    public static TheoryData<string, string> ModelsAndEngines => new()
    {
        { "loop", "epoll" },
        { "loop", "io_uring" },
        { "async", "portable" },
        { "thread", "auto" },
        { "pool", "auto" },
        { "iterative", "auto" },
        { "process", "auto" },
        { "prefork", "auto" },
    };

    [Theory]
    [MemberData(nameof(ModelsAndEngines))]
    public async Task A_megabyte_each_way_and_both_ends_pass(string model, string engine)
    {
        using Listening upstream = new();
        using Listening dead = new();
        dead.Dispose();
        (Program relay, int port) = Start(dead.Endpoint, upstream.Endpoint, "--model", model, "--engine", engine);
        using (relay)
        {
            using Socket client = Connected(port);
            using Socket server = await upstream.AcceptAsync();
            byte[] question = RandomNumberGenerator.GetBytes(1 << 20);
            byte[] answer = RandomNumberGenerator.GetBytes(1 << 20);
            Task<byte[]> received = ReceiveToEndAsync(server);
            await SendAllAsync(client, question);
            client.Shutdown(SocketShutdown.Send);
            Assert.Equal(question, await received);
            Task<byte[]> answered = ReceiveToEndAsync(client);
            await SendAllAsync(server, answer);
            server.Shutdown(SocketShutdown.Send);
            Assert.Equal(answer, await answered);
            relay.Signal("TERM");
            Assert.Equal(0, relay.WaitForEnd().ExitCode);
        }
    }

    [Theory]
    [MemberData(nameof(ModelsAndEngines))]
    public async Task A_reset_of_either_side_resets_the_other(string model, string engine)
    {
        using Listening upstream = new();
        (Program relay, int port) = Start(upstream.Endpoint, "--model", model, "--engine", engine);
        using (relay)
        {
            foreach (bool clientResets in (bool[])[true, false])
            {
                using Socket client = Connected(port);
                using Socket server = await upstream.AcceptAsync();
                await SendAllAsync(client, "hello\n"u8.ToArray());
                byte[] buffer = new byte[6];
                Assert.Equal(6, await server.ReceiveAsync(buffer));
                (Socket resetting, Socket reset) = clientResets ? (client, server) : (server, client);
                resetting.LingerState = new LingerOption(true, 0);
                resetting.Close();
                SocketException ended = await Assert.ThrowsAsync<SocketException>(() => ReceiveToEndAsync(reset));
                Assert.Equal(SocketError.ConnectionReset, ended.SocketErrorCode);
            }
        }
    }

    [Theory]
    [InlineData("v1", "PROXY TCP4 127.0.0.1 127.0.0.1 ")]
    [InlineData("v2", "\r\n\r\n\0\r\nQUIT\n")]
    public async Task The_upstream_hears_who_the_client_is_first(string version, string begins)
    {
        using Listening upstream = new();
        (Program relay, int port) = Start(upstream.Endpoint, "--proxy-protocol", version);
        using (relay)
        {
            using Socket client = Connected(port);
            using Socket server = await upstream.AcceptAsync();
            await SendAllAsync(client, "hello\n"u8.ToArray());
            client.Shutdown(SocketShutdown.Send);
            string received = Encoding.Latin1.GetString(await ReceiveToEndAsync(server));
            Assert.StartsWith(begins, received, StringComparison.Ordinal);
            Assert.EndsWith("hello\n", received, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(ModelsAndEngines))]
    public async Task The_client_that_a_proxy_before_the_relay_names_is_named_to_the_upstream(string model, string engine)
    {
        using Listening upstream = new();
        (Program relay, int port) = Start(
            upstream.Endpoint, "--accept-proxy", "127.0.0.1", "--proxy-protocol", "v1", "--model", model, "--engine", engine);
        using (relay)
        {
            using Socket client = Connected(port);
            await SendAllAsync(client, "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\nhello\n"u8.ToArray());
            client.Shutdown(SocketShutdown.Send);
            using Socket server = await upstream.AcceptAsync();
            string received = Encoding.Latin1.GetString(await ReceiveToEndAsync(server));
            Assert.StartsWith("PROXY TCP4 192.0.2.1 ", received, StringComparison.Ordinal);
            Assert.EndsWith("hello\n", received, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task One_address_has_no_more_connections_than_the_relay_allows_it()
    {
        using Listening upstream = new();
        (Program relay, int port) = Start(upstream.Endpoint, "--max-per-address", "1", "--max-connections", "10");
        using (relay)
        {
            using Socket first = Connected(port);
            using Socket server = await upstream.AcceptAsync();
            using Socket second = Connected(port);
            Assert.Empty(await ReceiveToEndAsync(second));
        }
    }

    /// <summary>Each client takes two descriptors, and the relay has 40 for all it does: most have to wait.</summary>
    [Theory]
    [MemberData(nameof(ModelsAndEngines))]
    public async Task Short_of_descriptors_the_relay_serves_everyone_in_the_end_and_resets_nobody(string model, string engine)
    {
        const int Clients = 60;
        using Listening upstream = new();
        using CancellationTokenSource over = new();
        Task answering = EchoAsync(upstream, over.Token);
        using Program relay = Program.Start(
            "prlimit",
            [
                "--nofile=40", Doorbells.File("native"), "relay", "tcp://127.0.0.1:0", upstream.Endpoint,
                "--model", model, "--engine", engine, "--connect-timeout", "60",
            ]);
        int port = Endpoint.Parse(relay.WaitForLine("relaying ").Split(' ')[1]).Port;
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async i =>
        {
            using Socket client = Connected(port);
            byte[] question = Encoding.ASCII.GetBytes($"client {i}\n");
            await SendAllAsync(client, question);
            byte[] answer = new byte[question.Length];
            using CancellationTokenSource patience = new(TimeSpan.FromMinutes(2));
            for (int got = 0; got < answer.Length;)
            {
                int count = await client.ReceiveAsync(answer.AsMemory(got), patience.Token);
                Assert.NotEqual(0, count);
                got += count;
            }

            Assert.Equal(question, answer);
        }));
        await over.CancelAsync();
        await answering;
        relay.Signal("TERM");
        Assert.DoesNotContain("error 24", relay.WaitForEnd().Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("FOLDER/self", "FOLDER/./self")]
    [InlineData("FOLDER/self", "FOLDER/../FOLDERNAME/self")]
    [InlineData("FOLDER/self", "FOLDER/link/self")]
    public void An_upstream_that_is_the_relays_own_path_spelled_another_way_is_wrong_usage(string listen, string upstream)
    {
        string folder = Directory.CreateTempSubdirectory("doorbell").FullName;
        Directory.CreateSymbolicLink(Path.Combine(folder, "link"), folder);
        string Named(string endpoint) => "unix://" + endpoint
            .Replace("FOLDERNAME", Path.GetFileName(folder), StringComparison.Ordinal).Replace("FOLDER", folder, StringComparison.Ordinal);
        Ended ended = Doorbells.Run("native", "", "relay", Named(listen), Named(upstream));
        Directory.Delete(folder, recursive: true);
        Assert.Equal(2, ended.ExitCode);
        string line = Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("is LISTEN itself", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tcp://127.0.0.1:PORT", "tcp://localhost:PORT")]
    [InlineData("tcp://127.0.0.1:PORT", "tcp://0.0.0.0:PORT")]
    [InlineData("tcp://*:PORT", "tcp://127.0.0.2:PORT")]
    [InlineData("tcp://localhost:PORT", "tcp://127.0.0.1:9", "tcp://[::1]:PORT", "tcp://127.0.0.1:PORT")]
    public void An_upstream_that_is_the_relay_itself_by_whatever_name_is_wrong_usage(params string[] endpoints)
    {
        string port = FreePort();
        Ended ended = Doorbells.Run(
            "native", "", ["relay", .. endpoints.Select(endpoint => endpoint.Replace("PORT", port, StringComparison.Ordinal))]);
        Assert.Equal(2, ended.ExitCode);
        string line = Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("is LISTEN itself", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("UPSTREAM", "relay", "tcp://127.0.0.1:0", "tcp://*:80")]
    [InlineData("UPSTREAM", "relay", "tcp://127.0.0.1:0", "tcp://localhost:0")]
    [InlineData("--accept-proxy", "relay", "tcp://127.0.0.1:0", "tcp://127.0.0.1:9", "--accept-proxy", "10.0.0.1/8")]
    [InlineData("--accept-proxy", "serve", "echo", "udp://127.0.0.1:0", "--accept-proxy", "10.0.0.0/8")]
    [InlineData("--accept-proxy", "serve", "tcp://127.0.0.1:0", "--accept-proxy", "127.0.0.1", "--exec", "cat")]
    public void What_makes_no_sense_is_wrong_usage_and_named(string says, params string[] arguments)
    {
        Ended ended = Doorbells.Run("native", "", arguments);
        Assert.Equal(2, ended.ExitCode);
        Assert.Contains(says, Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_no_upstream_answers_the_client_is_reset()
    {
        using Listening dead = new();
        dead.Dispose();
        (Program relay, int port) = Start(dead.Endpoint);
        using (relay)
        {
            using Socket client = Connected(port);
            SocketException ended = await Assert.ThrowsAsync<SocketException>(() => ReceiveToEndAsync(client));
            Assert.Equal(SocketError.ConnectionReset, ended.SocketErrorCode);
        }
    }

    private static (Program Relay, int Port) Start(params string[] arguments)
    {
        Program relay = Doorbells.Start("native", ["relay", "tcp://127.0.0.1:0", .. arguments]);
        string listening = relay.WaitForLine("relaying ").Split(' ')[1];
        return (relay, Endpoint.Parse(listening).Port);
    }

    /// <summary>One that nobody listens on, of either family: the relay binds it before it looks at its upstreams.</summary>
    private static string FreePort()
    {
        using Socket socket = new(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        socket.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        return $"{((IPEndPoint)socket.LocalEndPoint!).Port}";
    }

    private static async Task EchoAsync(Listening upstream, CancellationToken over)
    {
        List<Task> serving = [];
        try
        {
            while (true)
            {
                serving.Add(EchoAsync(await upstream.AcceptAsync(over), over));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(serving);
        }
    }

    private static async Task EchoAsync(Socket socket, CancellationToken over)
    {
        using (socket)
        {
            try
            {
                byte[] buffer = new byte[4096];
                while (await socket.ReceiveAsync(buffer, over) is > 0 and int count)
                {
                    await SendAllAsync(socket, buffer[..count]);
                }
            }
            catch (Exception gone) when (gone is SocketException or OperationCanceledException)
            {
                // The client went with its answer.
            }
        }
    }

    private static Socket Connected(int port)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(IPAddress.Loopback, port);
        return socket;
    }

    private static async Task SendAllAsync(Socket socket, byte[] bytes)
    {
        for (int sent = 0; sent < bytes.Length;)
        {
            sent += await socket.SendAsync(bytes.AsMemory(sent));
        }
    }

    private static async Task<byte[]> ReceiveToEndAsync(Socket socket)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(30));
        using MemoryStream all = new();
        byte[] buffer = new byte[65_536];
        while (await socket.ReceiveAsync(buffer, patience.Token) is > 0 and int received)
        {
            all.Write(buffer, 0, received);
        }

        return all.ToArray();
    }

    /// <summary>An upstream: a listening socket of loopback.</summary>
    private sealed class Listening : IDisposable
    {
        private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

        public Listening()
        {
            _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _socket.Listen();
            Endpoint = $"tcp://{_socket.LocalEndPoint}";
        }

        public string Endpoint { get; }

        public async Task<Socket> AcceptAsync()
        {
            using CancellationTokenSource patience = new(TimeSpan.FromSeconds(30));
            return await AcceptAsync(patience.Token);
        }

        public async Task<Socket> AcceptAsync(CancellationToken cancellation) => await _socket.AcceptAsync(cancellation);

        public void Dispose() => _socket.Dispose();
    }
}
