using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>
/// Many connections wait in the backlog until a lane comes round. It may take them together, but no more of them than it has places for,
/// and it knows of each whose it is.
/// </summary>
public sealed class TogetherTests
{
    private const int Places = 300;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    public static TheoryData<string, string> LoopsAndTransports => new()
    {
        { "loop/epoll", "tcp" }, { "loop/epoll", "unix" }, { "loop/io_uring", "tcp" }, { "loop/io_uring", "unix" },
    };

    public static TheoryData<string> Loops => ["loop/epoll", "loop/io_uring"];

    [Theory]
    [MemberData(nameof(LoopsAndTransports))]
    public async Task Of_connections_that_come_together_each_has_its_own_peer(string model, string transport)
    {
        using Busy busy = new();
        await using Running running = await Running.StartAsync(
            busy.Service, transport, model: model, change: static options => options with { Model = ServerModel.Loop(1) });
        using Peer first = busy.Hold(running);
        string folder = Directory.CreateTempSubdirectory().FullName;
        List<Socket> clients = [.. Enumerable.Range(0, 200).Select(i => Connect(running.Endpoint, $"{folder}/client{i}"))];
        busy.Release();
        for (int i = 0; i < clients.Count; i++)
        {
            // Of a TCP client the port is its own, of a unix client the path.
            string own = clients[i].LocalEndPoint is IPEndPoint ip ? $":{ip.Port}" : $"/client{i}";
            clients[i].Send("who\n"u8);
            Assert.EndsWith(own + "\n", ReceiveLine(clients[i]), StringComparison.Ordinal);
        }

        clients.ForEach(static client => client.Dispose());
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [MemberData(nameof(Loops))]
    public async Task No_more_of_those_that_wait_are_accepted_than_there_are_places(string model)
    {
        using Busy busy = new();
        await using Running running = await Running.StartAsync(busy.Service, "tcp", model: model, change: static options => options with
        {
            Model = ServerModel.Loop(1), MaxConnections = Places, MaxConnectionsPerAddress = 1000, AtLimit = AtLimit.LeaveInBacklog,
        });
        using Peer first = busy.Hold(running);
        List<Peer> clients = [.. Enumerable.Range(0, Places + 31).Select(_ => running.Connect())];
        busy.Release();
        Peer.Eventually(() => running.Counts.ConnectionsOpen == Places, "all places are taken");
        Assert.Equal("hello\n", clients[0].Ask("hello\n"));

        // The first has a place too.
        Assert.Equal(32, running.Server.ReadBacklogs()[0].Waiting);
        clients.ForEach(static client => client.Dispose());
    }

    private static Socket Connect(Endpoint server, string path)
    {
        if (!server.IsUnix)
        {
            Socket tcp = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 60_000 };
            tcp.Connect(IPAddress.Loopback, server.Port);
            return tcp;
        }

        Socket unix = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 60_000 };
        unix.Bind(new UnixDomainSocketEndPoint(path));
        unix.Connect(new UnixDomainSocketEndPoint(server.Path!));
        return unix;
    }

    private static string ReceiveLine(Socket client)
    {
        byte[] buffer = new byte[512];
        int length = 0;
        while (length == 0 || buffer[length - 1] != (byte)'\n')
        {
            int count = client.Receive(buffer.AsSpan(length));
            Assert.True(count > 0, "an answer, and no end");
            length += count;
        }

        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    /// <summary>A service whose lane "hold" keeps busy until it is released. "who" is answered with the peer's address.</summary>
    private sealed class Busy : IDisposable
    {
        private readonly ManualResetEventSlim _isHeld = new();
        private readonly ManualResetEventSlim _released = new();

        public Busy() => Service = new Service("busy") { NewStreamHandler = connection => new Handler(this, connection) };

        public Service Service { get; }

        /// <summary>The lane is busy when this returns.</summary>
        public Peer Hold(Running running)
        {
            Peer peer = running.Connect();
            peer.Send("hold\n");
            Assert.True(_isHeld.Wait(_patience), "the lane is held");
            return peer;
        }

        public void Release() => _released.Set();

        public void Dispose()
        {
            _released.Set();
            _isHeld.Dispose();
        }

        private sealed class Handler(Busy busy, ConnectionInfo connection) : StreamHandler
        {
            public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
            {
                if (input.SequenceEqual("hold\n"u8))
                {
                    busy._isHeld.Set();
                    busy._released.Wait(_patience);
                }
                else
                {
                    turn.Output.Write(input.SequenceEqual("who\n"u8) ? Encoding.UTF8.GetBytes($"{connection.Peer}\n") : input);
                }

                return Step.More(input.Length);
            }
        }
    }
}
