using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>Programs that leave something behind outside their process group (setsid(1)), where no signal of ours reaches it.</summary>
[Collection("measures this process")]
public sealed class StubbornProgramTests
{
    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task What_is_left_of_one_connection_ends_no_other(string transport)
    {
        const string Program = "read what; case $what in leave) setsid sleep 8 & echo left;; *) sleep 0.5; echo alive;; esac";
        ServiceProgram program = ServiceProgram.Shell(Program) with { Grace = TimeSpan.FromMilliseconds(1) };
        await using Running server = await Running.StartAsync(Service.Run("odd", program), transport);
        using (Peer leaving = server.Connect())
        {
            leaving.Send("leave\n");
            Assert.Equal("left\n", leaving.ReceiveToEnd());
        }

        Peer.Eventually(() => server.Counts is { ConnectionsOpened: 1, ConnectionsOpen: 0 }, "the first is over");
        using Peer next = server.Connect();
        next.Send("work\n");
        Assert.Equal("alive\n", next.ReceiveToEnd());
    }

    [Fact]
    public async Task A_datagrams_program_whose_output_another_process_keeps_gives_its_place_back()
    {
        ServiceProgram program = ServiceProgram.Shell("read what; case $what in leave) setsid sleep 30 & ;; *) echo ok;; esac")
            with { DatagramTimeout = TimeSpan.FromMilliseconds(200) };
        await using Running server = await Running.StartAsync(Service.Run("odd", program), "udp", maxConnections: 1);
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 10_000 };
        socket.Connect(IPAddress.Loopback, server.Endpoint.Port);
        socket.Send("leave\n"u8);
        socket.Send("well\n"u8);
        byte[] answer = new byte[100];
        Assert.Equal("ok\n", Encoding.ASCII.GetString(answer, 0, socket.Receive(answer)));
    }
}
