using System.Net;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>A peer that answers everything, as another server does: one forged datagram would go round between them for ever.</summary>
public sealed class LoopTests
{
    /// <summary>So many fit into a socket's receive buffer together: none is lost there, uncounted.</summary>
    private const int Forged = 100;

    [Theory]
    [InlineData(null, "127.0.0.1")]
    [InlineData("async", "127.0.0.1")]
    [InlineData(null, "::1")]
    [InlineData("async", "::1")]
    public async Task Datagrams_that_go_round_between_two_servers_end(string? model, string address)
    {
        await using Running server = await Running.StartAsync(ClassicServices.Echo, "udp", model: model, change: options => options with
        {
            Endpoints = [Endpoint.From(Transport.Udp, new IPEndPoint(IPAddress.Parse(address), 0))],
        });
        await CircleAsync(server, Forged);
    }

    [Fact]
    public async Task Programs_for_datagrams_are_not_started_for_ever()
    {
        Service service = Service.Run("cat", new ServiceProgram("/bin/cat", [])) with
        {
            DatagramLimits = DatagramLimits.Default with { LoopGuardAnswers = 20 },
        };
        await using Running server = await Running.StartAsync(service, "udp");
        await CircleAsync(server, 2);
    }

    [Fact]
    public async Task A_datagram_that_goes_round_slowly_between_a_server_and_a_server_of_programs_ends()
    {
        ServiceProgram slow = ServiceProgram.Shell("sleep .01; cat");
        await using Running echo = await Running.StartAsync(ClassicServices.Echo, "udp");
        await using Running programs = await Running.StartAsync(Service.Run("slow cat", slow), "udp");
        IPEndPoint first = new(IPAddress.Loopback, programs.Endpoint.Port);
        using Socket between = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 60_000 };
        IPEndPoint second = new(IPAddress.Loopback, echo.Endpoint.Port);
        between.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        between.SendTo("forged"u8, first);
        byte[] buffer = new byte[100];
        int rounds = 0;
        while (programs.Counts.Dropped(DatagramDrop.SuspectedLoop) == 0)
        {
            // It stands for the other server's address: each gets what the other has answered.
            EndPoint from = first;
            if (between.Poll(100_000, SelectMode.SelectRead))
            {
                int count = between.ReceiveFrom(buffer, ref from);
                between.SendTo(buffer.AsSpan(0, count), from.Equals(first) ? second : first);
                rounds++;
            }

            Assert.InRange(rounds, 0, 2 * 128);
        }
    }

    [Fact]
    public async Task A_client_that_asks_often_is_answered()
    {
        await using Running server = await Running.StartAsync(ClassicServices.Echo, "udp");
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 30_000 };
        client.Connect(IPAddress.Loopback, server.Endpoint.Port);
        byte[] answer = new byte[10];
        for (int i = 0; i < 4000; i++)
        {
            client.Send("hi"u8);
            Assert.Equal(2, client.Receive(answer));
        }

        Assert.Equal(0, server.Counts.Errors);
    }

    /// <summary>Sends as many datagrams, and sends back whatever comes, until the server has left out an answer to each.</summary>
    private static async Task CircleAsync(Running server, int forged)
    {
        IPEndPoint door = IPEndPoint.Parse(server.Endpoint.ToString()["udp://".Length..]);
        using Socket peer = new(door.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        peer.Connect(door);
        for (int i = 0; i < forged; i++)
        {
            peer.Send("hi"u8);
        }

        using CancellationTokenSource over = new();
        Task circling = Task.Run(async () =>
        {
            byte[] buffer = new byte[100];
            while (true)
            {
                int count = await peer.ReceiveAsync(buffer, SocketFlags.None, over.Token);
                await peer.SendAsync(buffer.AsMemory(0, count), SocketFlags.None, over.Token);
            }
        });
        try
        {
            Peer.Eventually(() => Ended(server.Counts), "every datagram has ended");
            Assert.True(server.Counts.Dropped(DatagramDrop.SuspectedLoop) > 0);
        }
        finally
        {
            await over.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => circling);
        }

        bool Ended(LedgerSnapshot counts) => counts.Dropped(DatagramDrop.SuspectedLoop) + counts.Dropped(DatagramDrop.ReceiveBufferFull)
            + counts.Dropped(DatagramDrop.SendFailed) >= forged;
    }
}
