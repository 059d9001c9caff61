using Doorbell.Testing;
using Doorbell.Tls;

namespace Doorbell.Tests;

/// <summary>
/// TLS on the simulated network, which cuts, delays and loses: from a relay that puts it on to a server that takes it off.
/// </summary>
public sealed class TlsSimulationTests
{
    [Fact]
    public void Every_client_is_answered_through_a_relay_that_speaks_TLS() => Simulation.RunSeeds(20, static network =>
    {
        PeerAddress upstream = PeerAddress.IPv4(0x0a000002, 443);
        PeerAddress front = PeerAddress.IPv4(0x0a000001, 7000);
        TlsServer tls = new(new TlsServerOptions { Certificates = [TlsPair.Certificate] });
        Endpoint to = Endpoint.Parse("tcp://10.0.0.2:443");
        TlsClient client = new(to, new TlsClientOptions { Pins = [TlsPair.Certificate.Fingerprint] });
        SimulatedListener server = network.ListenStream(
            upstream, ClassicServices.Capitalize, new SimulatedServerOptions { Layers = [tls.NewLayer] });
        network.ListenStream(front, Relay.To([to], new RelayOptions { Layers = _ => [client.NewLayer] }));
        List<SimulatedClient> clients = [];
        for (uint i = 1; i <= 3; i++)
        {
            SimulatedClient one = network.ConnectStream(PeerAddress.IPv4(0x0a010000 + i, 50_000), front);
            one.Send("hello\n"u8);
            one.End();
            clients.Add(one);
        }

        network.Run(TimeSpan.FromMinutes(10));
        foreach (SimulatedClient one in clients)
        {
            Assert.True(one.Received.SequenceEqual("HELLO\n"u8));
        }

        Assert.Equal(3, server.Ledger.Read().Closed(CloseReason.Completed));
        Assert.Equal(0, server.RentedBytes);
        Assert.Equal(0, tls.HandshakesUnderWay);
    });
}
