using System.Net;
using System.Net.Sockets;
using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>Over a socket bound to all addresses the answer leaves from the one asked: a connected client takes no other.</summary>
public sealed class AnswerAddressTests
{
    [Theory]
    [InlineData("udp://*:0", "127.0.0.1", "127.0.0.2", "::1")]
    [InlineData("udp://0.0.0.0:0", "127.0.0.2", "127.77.0.9", "127.0.0.1")]
    [InlineData("udp://[::]:0", "::1", "::1", "::1")]
    public async Task Every_address_answers_for_itself_alone_and_in_trains(string endpoint, params string[] addresses)
    {
        await using Running server = await Running.StartAsync(
            ClassicServices.Capitalize,
            "udp",
            model: "iterative",
            change: options => options with { Endpoints = [Endpoint.Parse(endpoint)] });
        Trains[] clients = [.. addresses.Select(address => new Trains(IPAddress.Parse(address), server.Endpoint.Port))];
        for (int round = 0; round < 50; round++)
        {
            foreach (Trains client in clients)
            {
                client.Socket.Send("hello"u8);
                client.Send(Trains.Numbered(20, 30), 30);
            }

            foreach (Trains client in clients)
            {
                Assert.Equal(["HELLO", .. Trains.NumberedAnswers(20, 30)], client.Receive(21));
            }
        }

        Assert.Equal(0, server.Counts.Errors);
        Array.ForEach(clients, static client => client.Dispose());
    }

    [Fact]
    public async Task One_client_that_asks_two_addresses_hears_from_both()
    {
        await using Running server = await Running.StartAsync(
            ClassicServices.Capitalize, "udp", model: "iterative",
            change: static options => options with { Endpoints = [Endpoint.Parse("udp://*:0")] });
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 10_000 };
        client.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        byte[] answer = new byte[100];
        for (int i = 0; i < 200; i++)
        {
            IPEndPoint asked = new(IPAddress.Parse($"127.0.0.{1 + (i % 3)}"), server.Endpoint.Port);
            client.SendTo("x"u8, asked);
            EndPoint from = new IPEndPoint(IPAddress.Any, 0);
            Assert.Equal(1, client.ReceiveFrom(answer, ref from));
            Assert.Equal(asked, from);
        }
    }

    [Fact]
    public async Task A_handler_sees_which_address_was_asked_and_may_send_from_it_later()
    {
        Service later = new("later") { NewDatagramHandler = static _ => new Later() };
        await using Running server = await Running.StartAsync(
            later, "udp", model: "iterative", change: static options => options with { Endpoints = [Endpoint.Parse("udp://0.0.0.0:0")] });
        using Trains client = new(IPAddress.Parse("127.0.0.3"), server.Endpoint.Port);
        client.Socket.Send("hello"u8);
        Assert.Equal("later", client.Receive());
    }

    private sealed class Later : DatagramHandler
    {
        private DatagramPath _path;

        public override void OnDatagram(Datagram datagram, DatagramTurn turn)
        {
            _path = new DatagramPath(datagram.From, datagram.To);
            turn.Alarm = turn.Now + TimeSpan.FromMilliseconds(1);
        }

        public override void OnAlarm(DatagramTurn turn)
        {
            System.Buffers.BuffersExtensions.Write(turn.Output, "later"u8);
            turn.SendTo(_path.Peer, _path.Local);
        }
    }
}
