using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Doorbell.Coap;

namespace Doorbell.Tests;

/// <summary>libcoap's client (Debian's libcoap3-bin) asks our CoAP server.</summary>
public sealed class CoapTests
{
    private int _effects;

    [Theory]
    [InlineData("confirmable")]
    [InlineData("non-confirmable")]
    public async Task It_is_answered(string kind)
    {
        await using Server server = await StartAsync();
        string[] arguments = ["-m", "post", "-e", "a sentence", $"coap://127.0.0.1:{server.Doors[0].Endpoint.Port}/capitalize"];
        Ended ended = Program.Run("coap-client-notls", kind == "confirmable" ? arguments : ["-N", .. arguments], "");
        Assert.Equal("A SENTENCE", ended.Output.Trim());
        Assert.Equal(1, _effects);
    }

    [Fact]
    public async Task It_finds_the_resources()
    {
        await using Server server = await StartAsync();
        string where = $"coap://127.0.0.1:{server.Doors[0].Endpoint.Port}/.well-known/core";
        Assert.Contains("</capitalize>", Program.Run("coap-client-notls", ["-m", "get", where], "").Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_told_what_is_not_there()
    {
        await using Server server = await StartAsync();
        Ended ended = Program.Run("coap-client-notls", ["-m", "get", $"coap://127.0.0.1:{server.Doors[0].Endpoint.Port}/none"], "");
        Assert.Contains("4.04", ended.Output + ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_datagram_three_times_has_one_effect_and_the_same_answer()
    {
        await using Server server = await StartAsync();
        using Socket peer = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 20_000 };
        peer.Connect(IPAddress.Loopback, server.Doors[0].Endpoint.Port);

        // Confirmable POST, message ID 0x1234, token 7, Uri-Path "capitalize", payload "once" (RFC 7252 section 3).
        byte[] question = [0x41, 0x02, 0x12, 0x34, 7, 0xba, .. "capitalize"u8, 0xff, .. "once"u8];
        byte[] answer = [0x61, 0x44, 0x12, 0x34, 7, 0xff, .. "ONCE"u8];
        byte[] buffer = new byte[2048];
        for (int i = 0; i < 3; i++)
        {
            peer.Send(question);
            Assert.Equal(answer, buffer[..peer.Receive(buffer)]);
        }

        Assert.Equal(1, _effects);
    }

    private Task<Server> StartAsync() => Server.StartAsync(new ServerOptions
    {
        Endpoints = [Endpoint.Parse("udp://127.0.0.1:0")],
        Service = CoapService.From("coap", new Dictionary<string, CoapResource>
        {
            ["capitalize"] = new((request, body) =>
            {
                Interlocked.Increment(ref _effects);
                body.Write(Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(request.Payload).ToUpperInvariant()));
                return CoapCode.Changed;
            }),
        }),
    });
}
