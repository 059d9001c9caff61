using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>The simulated server keeps its connections' memory within the same bound as the real one.</summary>
public sealed class BufferBudgetTests
{
    private static readonly PeerAddress _server = PeerAddress.IPv4(0x0a000001, 7000);

    private readonly SimulatedNetwork _network = new(31);

    [Fact]
    public void The_greediest_is_reset_and_the_modest_gets_its_answer()
    {
        SimulatedListener listener = _network.ListenStream(
            _server, ClassicServices.Echo, new SimulatedServerOptions { MaxBufferedBytes = 256 * 1024 });
        SimulatedClient modest = Asks(50_000, 20_000);
        _network.Run(TimeSpan.FromSeconds(5));
        SimulatedClient[] greedy = [.. Enumerable.Range(1, 40).Select(number => Asks((ushort)(50_000 + number), 30_000_000))];
        _network.Run(TimeSpan.FromSeconds(15));
        Assert.InRange(listener.RentedBytes, 1, 256 * 1024);
        Assert.True(listener.Ledger.Read().Closed(CloseReason.BufferBudgetExceeded) > 0, "nobody was reset");
        Assert.Equal(ConnectionFailure.None, modest.Failure);
        Assert.Contains(greedy, static client => client.Failure == ConnectionFailure.Reset);
        modest.ReadBytesPerSecond = 0;
        modest.End();
        _network.Run(TimeSpan.FromSeconds(60));
        Assert.Equal(20_000, modest.Received.Length);
    }

    /// <summary>It hardly reads.</summary>
    private SimulatedClient Asks(ushort port, int bytes)
    {
        SimulatedClient client = _network.ConnectStream(PeerAddress.IPv4(0x0a000002, port), _server);
        client.ReadBytesPerSecond = 1;
        client.Send(new byte[bytes]);
        return client;
    }
}
