using CsCheck;
using Doorbell.Coap;
using Doorbell.Coap.Codec;

namespace Doorbell.Tests;

/// <summary>CoAP's messages as bytes (RFC 7252 section 3).</summary>
public sealed class CoapMessageTests
{
    private static readonly byte[] _temperature = [.. "temperature"u8];

    private static readonly Gen<(int Type, byte Code, ushort Id, byte[] Token, (int Delta, byte[] Value)[] Options, byte[] Payload)>
        _messages =
        Gen.Select(
            Gen.Int[0, 1],
            Gen.OneOfConst<byte>(1, 2, 3, 4, 5, 0x41, 0x44, 0x45, 0x84, 0xa0),
            Gen.UShort,
            Gen.Byte.Array[0, 8],
            Gen.Select(Gen.Int[0, 700], Gen.OneOf(Gen.Byte.Array[0, 20], Gen.Byte.Array[260, 300])).Array[0, 6],
            Gen.Byte.Array[0, 64]);

    /// <summary>The request of RFC 7252 appendix A, figure 16: CON GET /temperature, message ID 0x7d34.</summary>
    [Fact]
    public void The_confirmable_request_of_the_appendix_is_these_bytes()
    {
        byte[] bytes = [0x40, 0x01, 0x7d, 0x34, 0xbb, .. _temperature];
        byte[] written = new byte[64];
        CoapWriter writer = new(written, CoapType.Confirmable, CoapCode.Get, 0x7d34, default);
        writer.Option(CoapOptionNumber.UriPath, _temperature);
        Assert.Equal(bytes, written[..writer.Length]);

        Assert.Equal(CoapFormatError.None, CoapMessage.TryRead(bytes, out CoapMessage message));
        Assert.Equal((CoapType.Confirmable, CoapCode.Get, (ushort)0x7d34), (message.Type, message.Code, message.MessageId));
        Assert.True(message.Options.TryGet(CoapOptionNumber.UriPath, out CoapOption path));
        Assert.Equal(_temperature, path.Value.ToArray());
        Assert.True(message.Payload.IsEmpty);
    }

    /// <summary>Its piggybacked answer: ACK 2.05 "22.3 C".</summary>
    [Fact]
    public void The_piggybacked_answer_of_the_appendix_is_these_bytes()
    {
        byte[] bytes = [0x60, 0x45, 0x7d, 0x34, 0xff, .. "22.3 C"u8];
        byte[] written = new byte[64];
        CoapWriter writer = new(written, CoapType.Acknowledgement, CoapCode.Content, 0x7d34, default);
        writer.Payload("22.3 C"u8);
        Assert.Equal(bytes, written[..writer.Length]);
        Assert.Equal(CoapFormatError.None, CoapMessage.TryRead(bytes, out CoapMessage message));
        Assert.Equal("2.05", message.Code.ToString());
        Assert.Equal("22.3 C"u8, message.Payload);
    }

    /// <summary>Figure 17: the same with the token 0x20.</summary>
    [Fact]
    public void The_request_with_a_token_of_the_appendix_is_these_bytes()
    {
        byte[] bytes = [0x41, 0x01, 0x7d, 0x35, 0x20, 0xbb, .. _temperature];
        Assert.Equal(CoapFormatError.None, CoapMessage.TryRead(bytes, out CoapMessage message));
        Assert.Equal(new CoapToken(0x20, 1), message.Token);
        byte[] written = new byte[64];
        CoapWriter writer = new(written, CoapType.Confirmable, CoapCode.Get, 0x7d35, message.Token);
        writer.Option(CoapOptionNumber.UriPath, _temperature);
        Assert.Equal(bytes, written[..writer.Length]);
    }

    [Theory]
    [InlineData("", CoapFormatError.TooShort)]
    [InlineData("400100", CoapFormatError.TooShort)]
    [InlineData("80010000", CoapFormatError.UnknownVersion)]
    [InlineData("49010000112233445566778899", CoapFormatError.TokenTooLong)]
    [InlineData("4201000011", CoapFormatError.TokenCut)]
    [InlineData("40200000", CoapFormatError.ReservedCode)]
    [InlineData("40e00000", CoapFormatError.ReservedCode)]
    [InlineData("60010000", CoapFormatError.ReservedCode)]
    [InlineData("4000000000", CoapFormatError.EmptyMisused)]
    [InlineData("50000000", CoapFormatError.EmptyMisused)]
    [InlineData("70450000", CoapFormatError.EmptyMisused)]
    [InlineData("40010000f0", CoapFormatError.ReservedOptionHeader)]
    [InlineData("400100000f", CoapFormatError.ReservedOptionHeader)]
    [InlineData("40010000b3aabb", CoapFormatError.OptionCut)]
    [InlineData("40010000d0", CoapFormatError.OptionCut)]
    [InlineData("40010000e000", CoapFormatError.OptionCut)]
    [InlineData("40010000e0ffff", CoapFormatError.OptionNumberTooLarge)]
    [InlineData("40010000ff", CoapFormatError.EmptyPayload)]
    [InlineData("40000000", CoapFormatError.None)]
    [InlineData("60000000", CoapFormatError.None)]
    [InlineData("70000000", CoapFormatError.None)]
    internal void What_is_wrong_is_told(string hex, CoapFormatError error) =>
        Assert.Equal(error, CoapMessage.TryRead(Convert.FromHexString(hex), out _));

    [Fact]
    public void What_is_written_is_read() => _messages.Sample(static message =>
    {
        byte[] bytes = new byte[4096];
        CoapWriter writer = new(
            bytes, (CoapType)message.Type, new CoapCode(message.Code), message.Id, CoapToken.From(message.Token));
        int number = 0;
        foreach ((int delta, byte[] value) in message.Options)
        {
            writer.Option(number += delta, value);
        }

        writer.Payload(message.Payload);
        Assert.Equal(CoapFormatError.None, CoapMessage.TryRead(bytes.AsSpan(0, writer.Length), out CoapMessage read));
        Assert.Equal((message.Type, message.Code, message.Id), ((int)read.Type, read.Code.Value, read.MessageId));
        Assert.Equal(CoapToken.From(message.Token), read.Token);
        Assert.Equal(message.Payload, read.Payload.ToArray());
        number = 0;
        int count = 0;
        foreach (CoapOption option in read.Options)
        {
            Assert.Equal(number += message.Options[count].Delta, option.Number);
            Assert.Equal(message.Options[count++].Value, option.Value.ToArray());
        }

        Assert.Equal(message.Options.Length, count);
    });

    [Fact]
    public void No_bytes_at_all_throw() => Gen.Select(Gen.Bool, Gen.Byte.Array[0, 48]).Sample(static (headed, bytes) =>
    {
        if (headed && bytes.Length > 1)
        {
            bytes[0] = (byte)(0x40 | (bytes[0] & 0x33));
            bytes[1] = (byte)(bytes[1] % 5);
        }

        if (CoapMessage.TryRead(bytes, out CoapMessage message) == CoapFormatError.None)
        {
            int seen = message.Payload.Length;
            foreach (CoapOption option in message.Options)
            {
                seen += option.Value.Length + 1;
            }

            Assert.True(seen <= bytes.Length);
        }
    });
}
