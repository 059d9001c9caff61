using System.Text;
using CsCheck;
using Doorbell.Coap;
using Doorbell.Coap.Codec;

namespace Doorbell.Tests;

/// <summary>A CoAP server between datagrams and the time.</summary>
public sealed class CoapServerTests
{
    private static readonly PeerAddress _peer = PeerAddress.IPv4(0x0a000001, 1);
    private int _effects;

    [Fact]
    public void A_confirmable_request_is_answered_on_its_acknowledgement() =>
        Assert.Equal("ACK 7 2.04 HELLO", Shown(NewServer().Received(Request(CoapType.Confirmable, 7), _peer, default)));

    [Fact]
    public void A_duplicate_gets_the_same_answer_and_has_no_effect_until_the_lifetime_ends()
    {
        CoapServer server = NewServer();
        byte[] first = server.Received(Request(CoapType.Confirmable, 7), _peer, default).ToArray();
        byte[] again = server.Received(Request(CoapType.Confirmable, 7), _peer, TimeSpan.FromSeconds(246)).ToArray();
        Assert.Equal(first, again);
        Assert.Equal(1, _effects);
        server.Received(Request(CoapType.Confirmable, 7), PeerAddress.IPv4(0x0a000001, 2), default);
        Assert.Equal(2, _effects);
        server.Tick(TimeSpan.FromSeconds(247));
        Assert.Equal((0, 0), (server.Exchanges, (int)server.EvictedExchanges));
    }

    [Fact]
    public void Without_room_the_oldest_is_forgotten_and_counted()
    {
        CoapServer server = NewServer(maxExchanges: 2);
        foreach (ushort id in new ushort[] { 1, 2, 3, 1 })
        {
            server.Received(Request(CoapType.NonConfirmable, id), _peer, default);
        }

        Assert.Equal((4, 2, 2), (_effects, server.Exchanges, (int)server.EvictedExchanges));
    }

    [Theory]
    [InlineData("40000009", "RST 9 0.00 ")]
    [InlineData("40020009ff", "RST 9 0.00 ")]
    [InlineData("40010009b161", "ACK 9 4.04 ")]
    [InlineData("4001000910", "ACK 9 4.02 ")]
    [InlineData("5001000910", "")]
    [InlineData("60000009", "")]
    [InlineData("40010009bb2e77656c6c2d6b6e6f776e04636f7265", "ACK 9 2.05 </upper>")]
    public void What_is_no_request_of_a_resource_gets_what_the_rfc_says(string hex, string answer) =>
        Assert.Equal(answer, Shown(NewServer().Received(Convert.FromHexString(hex), _peer, default)));

    [Fact]
    public void What_a_resource_throws_is_thrown_once_and_a_duplicate_is_answered_5_00_without_a_second_effect()
    {
        int effects = 0;
        CoapServer server = new(CoapServerLimits.Default, TestSocket.Of(1));
        server.Add("fails", (_, _) => throw new InvalidOperationException($"effect {++effects}"));
        byte[] question = [0x42, 0x02, 0x00, 0x09, 0x01, 0x02, 0xb5, .. "fails"u8];
        Assert.Equal("effect 1", Assert.Throws<InvalidOperationException>(() => server.Received(question, _peer, default).Length).Message);
        Assert.Equal("ACK 9 5.00 ", Shown(server.Received(question, _peer, TimeSpan.FromSeconds(2))));
        Assert.Equal(1, effects);
    }

    [Fact]
    public void No_bytes_at_all_throw() => Gen.Byte.Array[0, 40].Sample(bytes =>
    {
        if (bytes.Length > 1)
        {
            bytes[0] = (byte)(0x40 | (bytes[0] & 0x33));
            bytes[1] %= 5;
        }

        Assert.True(NewServer().Received(bytes, _peer, default).Length <= 1152);
    });

    private static byte[] Request(CoapType type, ushort id)
    {
        byte[] bytes = new byte[64];
        CoapWriter writer = new(bytes, type, CoapCode.Post, id, default);
        writer.Option(CoapOptionNumber.UriPath, "upper"u8);
        writer.Payload("hello"u8);
        return bytes[..writer.Length];
    }

    private static string Shown(ReadOnlySpan<byte> datagram)
    {
        if (datagram.IsEmpty)
        {
            return "";
        }

        Assert.Equal(CoapFormatError.None, CoapMessage.TryRead(datagram, out CoapMessage message));
        string type = message.Type switch { CoapType.Acknowledgement => "ACK", CoapType.Reset => "RST", _ => "NON" };
        string text = message.Code.Class == 2 ? Encoding.UTF8.GetString(message.Payload) : "";
        return $"{type} {message.MessageId} {message.Code} {text}";
    }

    private CoapServer NewServer(int maxExchanges = 100)
    {
        CoapServer server = new(CoapServerLimits.Default with { MaxExchanges = maxExchanges }, TestSocket.Of(1));
        server.Add("upper", (request, body) =>
        {
            Interlocked.Increment(ref _effects);
            UpperCase.Ascii(request.Payload, body);
            return CoapCode.Changed;
        });
        return server;
    }
}
