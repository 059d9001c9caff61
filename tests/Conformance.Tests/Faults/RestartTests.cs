using System.Net;
using System.Net.Sockets;
using Doorbell.Native;
using Doorbell.Sockets;

namespace Doorbell.Tests;

/// <summary>
/// A server ends, and the next one is on the same port at once: nothing of the first may hold its listener by then, not the rings of its
/// lanes either, which the kernel takes down in its own time.
/// </summary>
[Collection("injects faults")]
public sealed class RestartTests
{
    private const int Restarts = 100;

    /// <summary>F_GETFD of fcntl(2); FD_CLOEXEC is 1.</summary>
    private const int GetDescriptorFlags = 1;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("loop/epoll", 1)]
    [InlineData("loop/epoll", 2)]
    [InlineData("loop/io_uring", 1)]
    [InlineData("loop/io_uring", 2)]
    public async Task The_port_is_free_as_soon_as_the_server_has_ended(string model, int lanes)
    {
        int port = FreePort();
        List<Peer> left = [];
        for (int i = 0; i < Restarts; i++)
        {
            await using Running server = await Running.StartAsync(Sizes.Service, model: model, change: options => options with
            {
                Model = ServerModel.Loop(lanes),
                Endpoints = [Endpoint.Parse($"tcp://127.0.0.1:{port}")],
            });
            Peer[] peers = [.. Enumerable.Range(0, 4).Select(_ => server.Connect())];
            Array.ForEach(peers, static peer => Assert.Equal("a\n", peer.Ask("0 1\n", answer: 2)));

            // One has an answer under way, and the others ask nothing, end, and are left open.
            peers[0].Send("3 6000000\n");
            peers[1].HalfClose();
            peers[2].Dispose();
            left.AddRange(peers);
            left.Add(server.Connect());
            await server.Server.DrainAsync(TimeSpan.FromMilliseconds(i % 4)).WaitAsync(_patience, TestContext.Current.CancellationToken);
        }

        left.ForEach(static peer => peer.Dispose());
    }

    [Fact]
    public async Task A_listener_is_closed_at_once_though_it_is_in_use_and_no_program_started_meanwhile_inherits_it()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, FreePort()));
        socket.Listen();
        EndPoint address = socket.LocalEndPoint!;
        DoorSocket bound = new(socket, new Door(Endpoint.Parse($"tcp://{address}"), default));
        int descriptor = bound.Descriptor;
        bool isHeld = false;
        socket.SafeHandle.DangerousAddRef(ref isHeld);
        Task released = Task.Run(bound.Release, TestContext.Current.CancellationToken);
        try
        {
            Peer.Eventually(() => !IsListening(address), "nobody listens there");
            Assert.Equal(1, Libc.fcntl(descriptor, GetDescriptorFlags, 0));
            Assert.False(released.IsCompleted);
        }
        finally
        {
            socket.SafeHandle.DangerousRelease();
        }

        await released.WaitAsync(_patience, TestContext.Current.CancellationToken);
    }

    private static bool IsListening(EndPoint address)
    {
        using Socket peer = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            peer.Connect(address);
            return true;
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return false;
        }
    }

    /// <summary>Below those that the kernel gives to clients by itself, so that none of theirs can be it.</summary>
    private static int FreePort()
    {
        for (int port = Random.Shared.Next(20_000, 30_000); ; port++)
        {
            using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // The next one may be free.
            }
        }
    }
}
