using System.Net;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>Binding, faults, limits, and the end of a server.</summary>
public sealed class ServerTests
{
    [Fact]
    public async Task Localhost_is_both_loopback_addresses_on_one_port()
    {
        await using Server server = await Server.StartAsync(ClassicServices.Capitalize, "tcp://localhost:0", "udp://localhost:0");
        Assert.Equal(["127.0.0.1", "::1", "127.0.0.1", "::1"], server.Doors.Select(static door => door.Endpoint.Host));
        Assert.Equal(server.Doors[0].Endpoint.Port, server.Doors[1].Endpoint.Port);
        Assert.Equal(server.Doors[2].Endpoint.Port, server.Doors[3].Endpoint.Port);
        Assert.All(server.Doors, static door => Assert.Equal(Reach.ThisMachine, door.Reach));
    }

    [Fact]
    public async Task A_star_is_every_interface_of_both_families()
    {
        await using Server server = await Server.StartAsync(ClassicServices.Capitalize, "tcp://*:0");
        Assert.Equal(Reach.EveryInterface, server.Doors[0].Reach);
        foreach (string host in new[] { "127.0.0.1", "[::1]", "127.1.2.3" })
        {
            using Peer peer = new(Endpoint.Parse($"tcp://{host}:{server.Doors[0].Endpoint.Port}"));
            Assert.Equal("HI\n", peer.Ask("hi\n"));
        }
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("udp")]
    [InlineData("unix")]
    [InlineData("unix+dgram")]
    public async Task A_second_server_on_the_same_address_is_refused(string transport)
    {
        await using Running first = await Running.StartAsync(ClassicServices.Capitalize, transport);
        NetworkException failure = await Assert.ThrowsAsync<NetworkException>(() => Server.StartAsync(ClassicServices.Echo,
            first.Endpoint.ToString()));
        Assert.Equal(SocketError.AddressAlreadyInUse, failure.Error);
        Assert.Contains("EADDRINUSE", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_one_endpoint_fails_none_stays_bound()
    {
        await using Running taken = await Running.StartAsync(ClassicServices.Capitalize);
        string free = $"tcp://127.0.0.1:{FreePort()}";
        await Assert.ThrowsAsync<NetworkException>(() => Server.StartAsync(ClassicServices.Echo, free, taken.Endpoint.ToString()));
        await using Server server = await Server.StartAsync(ClassicServices.Echo, free);
        Assert.Single(server.Doors);
    }

    [Fact]
    public async Task A_restart_need_not_wait_for_the_old_connections()
    {
        string endpoint;
        await using (Running first = await Running.StartAsync(ClassicServices.Daytime))
        {
            // The server closes first, so the TIME_WAIT is on its side.
            endpoint = first.Endpoint.ToString();
            using Peer peer = first.Connect();
            Assert.EndsWith("UTC\r\n", peer.ReceiveToEnd(), StringComparison.Ordinal);
        }

        await using Server second = await Server.StartAsync(ClassicServices.Capitalize, endpoint);
        Assert.Equal(endpoint, second.Doors[0].Endpoint.ToString());
    }

    [Fact]
    public async Task A_stale_unix_socket_is_replaced_a_plain_file_is_not_and_ours_is_removed_at_the_end()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        LeaveStaleSocket(path);
        await using (Server server = await Server.StartAsync(ClassicServices.Capitalize, $"unix://{path}"))
        {
            using Peer peer = new(server.Doors[0].Endpoint);
            Assert.Equal("HI\n", peer.Ask("hi\n"));
        }

        Assert.False(File.Exists(path));
        await File.WriteAllTextAsync(path, "precious", TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<NetworkException>(() => Server.StartAsync(ClassicServices.Capitalize, $"unix://{path}"));
        Assert.Equal("precious", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
        File.Delete(path);
    }

    [Fact]
    public async Task A_locked_file_and_a_fifo_are_no_stale_sockets_and_stay()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        await File.WriteAllTextAsync(path, "precious", TestContext.Current.CancellationToken);
        await using (FileStream locked = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            await Assert.ThrowsAsync<NetworkException>(() => Server.StartAsync(ClassicServices.Capitalize, $"unix://{path}"));
            Assert.True(File.Exists(path));
        }

        File.Delete(path);
        using (System.Diagnostics.Process mkfifo = System.Diagnostics.Process.Start("mkfifo", path))
        {
            await mkfifo.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        await Assert.ThrowsAsync<NetworkException>(() => Server.StartAsync(ClassicServices.Capitalize, $"unix://{path}"));
        Assert.True(File.Exists(path));
        File.Delete(path);
    }

    [Theory]
    [InlineData("unix")]
    [InlineData("unix+dgram")]
    public async Task A_server_that_ends_leaves_its_successors_socket_alone(string transport)
    {
        Running first = await Running.StartAsync(ClassicServices.Echo, transport);
        string path = first.Endpoint.Path!;
        File.Delete(path);
        await using (Server second = await Server.StartAsync(ClassicServices.Capitalize, first.Endpoint.ToString()))
        {
            await first.DisposeAsync();
            Assert.True(File.Exists(path));
        }

        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task A_handler_that_throws_ends_its_connection_alone()
    {
        Service brittle = Service.Lines("brittle", static (line, answer) =>
        {
            if (line.SequenceEqual("bad"u8))
            {
                throw new FormatException("bad line");
            }

            UpperCase.Ascii(line, answer);
        });
        await using Running server = await Running.StartAsync(brittle);
        using Peer good = server.Connect();
        using Peer bad = server.Connect();
        bad.Send("bad\n");
        Assert.Throws<SocketException>(() => bad.ReceiveToEnd());
        Assert.Equal("GOOD\n", good.Ask("good\n"));
        Peer.Eventually(() => server.Counts.Closed(CloseReason.HandlerFault) == 1, "the fault is counted");
    }

    [Fact]
    public async Task Options_that_do_not_fit_together_are_refused()
    {
        ServerOptions options = new() { Service = PipeServices.WithDelay, Endpoints = [Endpoint.Parse("udp://localhost:0")] };
        await Assert.ThrowsAsync<ArgumentException>(() => Server.StartAsync(options));
        await Assert.ThrowsAsync<ArgumentException>(() => Server.StartAsync(options with { Endpoints = [] }));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Server.StartAsync(options with { MaxConnections = 0 }));
    }

    private static int FreePort()
    {
        using Socket probe = new(SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    /// <summary>What a server that was killed leaves: a socket's file that nobody listens on.</summary>
    private static void LeaveStaleSocket(string path)
    {
        string hidden = path + ".hidden";
        using (Socket dead = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(hidden));

            // Disposing a socket removes its file, so give the file another name first.
            File.Move(hidden, path);
        }

        Assert.True(File.Exists(path));
    }
}
