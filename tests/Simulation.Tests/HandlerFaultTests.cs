using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>A handler that can't be made is its connection's fault in the simulated network as under every server model.</summary>
public sealed class HandlerFaultTests
{
    private static readonly PeerAddress _server = PeerAddress.IPv4(0x0a000001, 7000);
    private static readonly PeerAddress _client = PeerAddress.IPv4(0x0a000002, 50_000);

    [Fact]
    public void A_handler_that_cannot_be_made_is_counted_and_its_connection_reset()
    {
        SimulatedNetwork network = new(7);
        Service none = new("none") { NewStreamHandler = static _ => throw new InvalidOperationException("deliberate") };
        SimulatedListener listener = network.ListenStream(_server, none);
        SimulatedClient client = network.ConnectStream(_client, _server);
        network.RunUntilIdle();
        Assert.True(client.WasReset);
        Assert.Equal(1, listener.Ledger.Read().ConnectionsOpened);
        Assert.Equal(1, listener.Ledger.Read().Closed(CloseReason.HandlerFault));
        Assert.Equal("deliberate", listener.Fault?.Message);
        Assert.Equal(0, listener.RentedBytes);
    }
}
