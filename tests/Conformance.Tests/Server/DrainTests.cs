using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>A drain answers what has arrived, however slow the client takes its answers.</summary>
public sealed class DrainTests
{
    private const int PieceBytes = 16 * 1024;

    public static TheoryData<string> All => Models.Only(Models.All);

    [Trait("Needs", "Linux")]
    [Theory]
    [MemberData(nameof(All))]
    public async Task What_has_arrived_is_answered_though_the_client_was_behind_with_reading(string model)
    {
        await using Running running = await Running.StartAsync(ClassicServices.Echo, model: model);
        using Peer peer = running.Connect();
        long sent = SendUntilTheKernelHoldsSome(running, peer);
        Task drained = running.Server.DrainAsync(TimeSpan.FromSeconds(60));
        if (model is "thread" or "async" or "loop/epoll" or "loop/io_uring")
        {
            // The lanes have heard of it.
            Peer.Eventually(() => !Accepts(running.Endpoint), "the listener is closed");
        }

        Assert.Equal(sent, peer.ReceiveToEnd().Length);
        peer.Dispose();
        await drained.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        Assert.Equal(running.Counts.ConnectionsOpened, running.Counts.Closed(CloseReason.Completed));
        Assert.Equal((sent, sent), (running.Counts.BytesReceived, running.Counts.BytesSent));
    }

    /// <summary>Sends, and reads nothing, until the server's kernel holds bytes that the server does not take.</summary>
    private static long SendUntilTheKernelHoldsSome(Running running, Peer peer)
    {
        peer.Socket.ReceiveBufferSize = PieceBytes;
        byte[] piece = Encoding.ASCII.GetBytes(new string('x', PieceBytes));
        long sent = 0;
        for (int behind = 0; behind < 4;)
        {
            peer.Send(piece);
            sent += PieceBytes;
            Peer.Eventually(() => IsAcknowledged(peer.Socket), "the server's kernel has all that was sent");
            behind = sent - running.Counts.BytesReceived >= PieceBytes ? behind + 1 : 0;
        }

        return sent;
    }

    /// <summary>Nothing waits to be sent or to be acknowledged: struct tcp_info, tcpi_unacked and tcpi_notsent_bytes.</summary>
    private static bool IsAcknowledged(Socket socket)
    {
        const int TcpInfo = 11;
        Span<byte> info = stackalloc byte[152];
        socket.GetRawSocketOption((int)SocketOptionLevel.Tcp, TcpInfo, info);
        return BinaryPrimitives.ReadInt32LittleEndian(info[24..]) == 0 && BinaryPrimitives.ReadInt32LittleEndian(info[144..]) == 0;
    }

    private static bool Accepts(Endpoint endpoint)
    {
        try
        {
            new Peer(endpoint).Dispose();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
