using System.Text;
using Doorbell.Testing;

namespace Doorbell.Tests;

/// <summary>A door with a layer on a simulated network that cuts, delays and loses.</summary>
public sealed class LayeredDoorTests
{
    private static readonly PeerAddress _server = PeerAddress.IPv4(0x0a000001, 6789);

    [Fact]
    public void Behind_a_proxy_every_client_is_answered_by_the_name_that_the_proxy_gives_it() => Simulation.RunSeeds(500, static network =>
    {
        SimulatedListener listener = network.ListenStream(_server, NameOfPeer(), new SimulatedServerOptions
        {
            Layers = [ProxyProtocol.Accept([AddressRange.Parse("10.1.0.0/16")])],
        });
        List<SimulatedClient> clients = [];
        for (int i = 1; i <= 5; i++)
        {
            SimulatedClient client = network.ConnectStream(PeerAddress.IPv4(0x0a010000 + (uint)i, 50_000), _server);
            client.Send(Encoding.ASCII.GetBytes($"PROXY TCP4 192.0.2.{i} 198.51.100.7 {i} 443\r\nwho am I\n"));
            client.End();
            clients.Add(client);
        }

        SimulatedClient stranger = network.ConnectStream(PeerAddress.IPv4(0x0a020001, 50_000), _server);
        stranger.Send("PROXY TCP4 192.0.2.9 198.51.100.7 9 443\r\nwho am I\n"u8);
        stranger.End();
        network.Run(TimeSpan.FromMinutes(10));
        for (int i = 1; i <= 5; i++)
        {
            Assert.Equal($"192.0.2.{i}:{i}\n", Encoding.ASCII.GetString(clients[i - 1].Received));
        }

        Assert.Empty(stranger.Received.ToArray());
        Assert.Equal(5, listener.Ledger.Read().Closed(CloseReason.Completed));
        Assert.Equal(1, listener.Ledger.Read().Closed(CloseReason.PeerRefused));
        Assert.Equal(0, listener.RentedBytes);
        Assert.Null(listener.Fault);
    });

    private static Service NameOfPeer() => new("who") { NewStreamHandler = static _ => new NameHandler() };

    /// <summary>Answers with the peer's name, once, at the end of the question's line.</summary>
    private sealed class NameHandler : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            if (!input.EndsWith("\n"u8))
            {
                return Step.More(0);
            }

            turn.Output.Write(Encoding.ASCII.GetBytes($"{turn.Peer}\n"));
            return Step.More(input.Length);
        }
    }
}
