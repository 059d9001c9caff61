using System.Net;
using System.Net.Sockets;
using System.Text;
using Doorbell.Native;
using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>A unix socket's address is bytes (unix(7)), and none of them is lost or changed.</summary>
public sealed class UnixAddressTests
{
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(30);

    /// <summary>Names under a folder of the test's own, or abstract ones: behind the last slash or NUL.</summary>
    public static TheoryData<string?, byte[]> Names
    {
        get
        {
            TheoryData<string?, byte[]> all = [];
            foreach (string? model in new[] { null, "async" })
            {
                all.Add(model, [.. "/cl"u8, 0xff, (byte)'0']);
                all.Add(model, [.. "/"u8, 0xc3]);
                all.Add(model, [.. "/"u8, 0xed, 0xb3, 0xbf]);
                all.Add(model, [.. "\0cl"u8, 0xff, (byte)'0']);
                all.Add(model, [.. "\0whole"u8, 0, 0, 0]);
                all.Add(model, [.. "\0a\0"u8, 0x80, 0]);
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_datagram_client_of_any_name_is_answered_and_nobody_else(string? model, byte[] name)
    {
        using Folder folder = new();
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, "unix+dgram", model: model);
        using Socket client = folder.Bind(SocketType.Dgram, name);
        byte[] replaced = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(name));
        using Socket? other = replaced.AsSpan().SequenceEqual(name) ? null : folder.Bind(SocketType.Dgram, replaced);
        client.SendTo("hello"u8, new UnixDomainSocketEndPoint(server.Endpoint.Path!));
        Assert.Equal("HELLO", await ReceiveAsync(client));
        Assert.True(other is null || other.Available == 0);
        Assert.Equal(0, server.Counts.Errors);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("async")]
    [InlineData("thread")]
    public async Task A_stream_clients_name_is_told_as_its_bytes(string? model)
    {
        using Folder folder = new();
        List<PeerAddress> seen = [];
        Service service = Service.Stream("peers", connection =>
        {
            lock (seen)
            {
                seen.Add(connection.Info.Peer);
            }

            return Task.CompletedTask;
        });
        await using Running server = await Running.StartAsync(service, "unix", model: model);
        byte[] name = [.. "/cl"u8, 0xff, (byte)'0'];
        using Socket client = folder.Bind(SocketType.Stream, name);
        client.Connect(new UnixDomainSocketEndPoint(server.Endpoint.Path!));
        Assert.Equal("", await ReceiveAsync(client));
        Assert.EndsWith("cl\\xff0", seen.Single().ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("unix")]
    [InlineData("unix+dgram")]
    public async Task A_server_at_any_path_is_bound_asked_and_taken_away_by_its_bytes(string transport)
    {
        using Folder folder = new();
        string path = folder.Path + "/door\udcff";
        byte[] replaced = Encoding.UTF8.GetBytes(folder.Path + "/door\ufffd");
        File.WriteAllText(Encoding.UTF8.GetString(replaced), "another's");
        Endpoint endpoint = Endpoint.Parse($"{transport}://{path}");
        await using (Server server = await Server.StartAsync(
            new ServerOptions { Service = ClassicServices.Capitalize, Endpoints = [endpoint] }, default))
        {
            Assert.Equal("HELLO", transport == "unix" ? await AskStreamAsync(endpoint) : await AskDatagramAsync(endpoint));
            Assert.True(SystemFile.IsSocket(path));
        }

        Assert.False(SystemFile.IsSocket(path));
        Assert.Equal("another's", File.ReadAllText(Encoding.UTF8.GetString(replaced)));
    }

    [Fact]
    public async Task An_abstract_name_is_served_and_asked()
    {
        Endpoint endpoint = Endpoint.Parse($"unix:\\x00doorbell-test-{Guid.NewGuid():N}\\xff");
        await using Server server = await Server.StartAsync(
            new ServerOptions { Service = ClassicServices.Capitalize, Endpoints = [endpoint] }, default);
        Assert.Equal("HELLO", await AskStreamAsync(endpoint));
    }

    [Fact]
    public async Task A_datagram_socket_of_an_abstract_name_is_served_and_asked()
    {
        Endpoint endpoint = Endpoint.Parse($"unix+dgram:@doorbell-test-{Guid.NewGuid():N}");
        await using Server server = await Server.StartAsync(
            new ServerOptions { Service = ClassicServices.Capitalize, Endpoints = [endpoint] }, default);
        Assert.Equal("HELLO", await AskDatagramAsync(endpoint));
        Assert.Equal(endpoint, server.Doors.Single().Endpoint);
    }

    private static async Task<string> AskStreamAsync(Endpoint endpoint)
    {
        using StreamClient client = await StreamClient.ConnectAsync(endpoint, _timeout, default);
        return Encoding.UTF8.GetString(await client.AskAsync("hello"u8.ToArray(), _timeout, default));
    }

    private static async Task<string> AskDatagramAsync(Endpoint endpoint)
    {
        DatagramAnswer answer = await DatagramClient.AskAsync(endpoint, "hello"u8.ToArray(), _timeout, RetrySchedule.Default, default);
        return Encoding.UTF8.GetString(answer.Bytes);
    }

    private static async Task<string> ReceiveAsync(Socket socket)
    {
        byte[] buffer = new byte[100];
        using CancellationTokenSource limit = new(_timeout);
        return Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer, SocketFlags.None, limit.Token));
    }

    /// <summary>A folder of a test's own, and sockets bound in it.</summary>
    private sealed class Folder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("doorbell").FullName;

        /// <param name="type">Of stream or datagram.</param>
        /// <param name="name">Begins with a slash, or with NUL for an abstract name.</param>
        public Socket Bind(SocketType type, byte[] name)
        {
            Socket socket = new(AddressFamily.Unix, type, ProtocolType.Unspecified);
            byte[] own = Encoding.UTF8.GetBytes(System.IO.Path.GetFileName(Path));
            socket.Bind(new Bytes(name[0] == 0 ? [0, .. own, .. name[1..]] : [.. Encoding.UTF8.GetBytes(Path), .. name, 0]));
            return socket;
        }

        public void Dispose()
        {

            using System.Diagnostics.Process remove = System.Diagnostics.Process.Start("rm", ["-rf", Path]);
            remove.WaitForExit();
        }
    }

    /// <summary>An address of exactly these bytes.</summary>
    private sealed class Bytes(byte[] path) : EndPoint
    {
        public override AddressFamily AddressFamily => AddressFamily.Unix;

        public override SocketAddress Serialize()
        {
            SocketAddress address = new(AddressFamily.Unix, 2 + path.Length);
            path.CopyTo(address.Buffer.Span[2..]);
            return address;
        }

        public override EndPoint Create(SocketAddress socketAddress) =>
            new Bytes(socketAddress.Buffer.Span[2..socketAddress.Size].ToArray());
    }
}
