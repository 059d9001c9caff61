using System.Net;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>A door of several datagram sockets shares its port with itself alone.</summary>
public sealed class PortGuardTests
{
    private const int Clients = 200;

    [Theory]
    [InlineData("udp://127.0.0.1:0", "127.0.0.1")]
    [InlineData("udp://*:0", "127.0.0.1")]
    [InlineData("udp://*:0", "::1")]
    [InlineData("udp://[::1]:0", "::1")]
    public async Task Who_joins_the_port_gets_no_datagram(string door, string asked)
    {
        await using Running server = await StartAsync(door);
        using Socket stranger = Join(server);
        Assert.Equal(Clients, Answered(server, IPAddress.Parse(asked)));
        Assert.Equal(0, stranger.Available);
        Assert.Equal(Clients * 2, server.Counts.DatagramsReceived);
    }

    /// <summary>Every lane gets some, and all of one sender's datagrams come to the same lane.</summary>
    [Theory]
    [InlineData("udp://127.0.0.1:0", "127.0.0.1")]
    [InlineData("udp://*:0", "127.0.0.1")]
    [InlineData("udp://*:0", "::1")]
    public async Task All_lanes_work_and_a_sender_stays_with_one(string door, string asked)
    {
        Lock guard = new();
        Dictionary<PeerAddress, HashSet<object>> lanes = [];
        Service service = new("look")
        {
            NewDatagramHandler = _ => new Look((lane, peer) =>
            {
                lock (guard)
                {
                    (lanes.TryGetValue(peer, out HashSet<object>? all) ? all : lanes[peer] = []).Add(lane);
                }
            }),
        };
        await using Running server = await StartAsync(door, service);
        Assert.Equal(Clients, Answered(server, IPAddress.Parse(asked)));
        lock (guard)
        {
            Assert.All(lanes.Values, static of => Assert.Single(of));
            Assert.Equal(3, lanes.Values.SelectMany(static of => of).Distinct().Count());
        }
    }

    [Fact]
    public async Task A_port_that_is_shared_on_purpose_is_shared()
    {
        await using Running server = await StartAsync("udp://127.0.0.1:0", reusePort: true);
        using Socket other = Join(server);
        _ = Answered(server, IPAddress.Loopback, patienceMilliseconds: 20);
        Assert.True(other.Available > 0);
    }

    private static Task<Running> StartAsync(string door, Service? service = null, bool reusePort = false) => Running.StartAsync(
        service ?? ClassicServices.Echo, "udp", change: options => options with
        {
            Endpoints = [Endpoint.Parse(door)], Model = ServerModel.Loop(3), ReusePort = reusePort,
        });

    /// <summary>As another program of the same user can.</summary>
    private static Socket Join(Running server)
    {
        bool of6 = server.Endpoint.Host is "*" or "::1";
        Socket stranger = new(of6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        if (of6)
        {
            stranger.DualMode = server.Endpoint.Host == "*";
        }

        stranger.SetRawSocketOption(1, 15, BitConverter.GetBytes(1)); // SOL_SOCKET, SO_REUSEPORT
        IPAddress address = server.Endpoint.Host switch
        {
            "*" => IPAddress.IPv6Any,
            "::1" => IPAddress.IPv6Loopback,
            _ => IPAddress.Loopback,
        };
        stranger.Bind(new IPEndPoint(address, server.Endpoint.Port));
        return stranger;
    }

    /// <summary>How many of the clients got both of their answers.</summary>
    private static int Answered(Running server, IPAddress address, int patienceMilliseconds = 20_000)
    {
        int answered = 0;
        for (int i = 0; i < Clients; i++)
        {
            using Socket client = new(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = patienceMilliseconds };
            client.Connect(address, server.Endpoint.Port);
            client.Send("1"u8);
            client.Send("2"u8);
            try
            {
                answered += client.Receive(new byte[10]) + client.Receive(new byte[10]) == 2 ? 1 : 0;
            }
            catch (SocketException late) when (late.SocketErrorCode == SocketError.TimedOut)
            {
                // It went to another socket of the port.
            }
        }

        return answered;
    }

    private sealed class Look(Action<object, PeerAddress> see) : DatagramHandler
    {
        public override void OnDatagram(Datagram datagram, DatagramTurn turn)
        {
            see(this, datagram.From);
            turn.Reply(datagram.Bytes);
        }
    }
}
