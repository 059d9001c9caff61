using System.Buffers;
using CsCheck;
using Doorbell.Coap;
using Doorbell.Coap.Codec;

namespace Doorbell.Tests;

/// <summary>Where a message begins and ends in a stream (RFC 8323 section 3.2).</summary>
public sealed class CoapFrameTests
{
    private static readonly Gen<(byte Code, byte[] Token, (int, byte[])[] Options, byte[] Payload)> _messages = Gen.Select(
        Gen.Byte,
        Gen.Byte.Array[0, 8],
        Gen.Select(Gen.Int[0, 600], Gen.Byte.Array[0, 300]).Array[0, 4],
        Gen.OneOf(Gen.Byte.Array[0, 40], Gen.Byte.Array[200, 400]));

    [Fact]
    public void A_message_is_read_as_it_was_written_and_no_part_of_it_is_one() => _messages.Sample(
        static message =>
        {
            (int Number, byte[] Value)[] options = [.. message.Options.OrderBy(static option => option.Item1)];
            byte[] byHand = CoapStreamBytes.Message(message.Code, message.Token, options, message.Payload);
            Assert.Equal(byHand, Written(message.Code, message.Token, options, message.Payload));
            for (int cut = 0; cut < byHand.Length; cut++)
            {
                Assert.Equal(CoapFraming.Incomplete, CoapFrame.TryRead(byHand.AsSpan(0, cut), int.MaxValue, out _));
            }

            byte[] followed = [.. byHand, 1, 2, 3];
            Assert.Equal(CoapFraming.Whole, CoapFrame.TryRead(followed, byHand.Length, out CoapFrame frame));
            Assert.Equal(byHand.Length, frame.Length);
            Assert.Equal(CoapFormatError.None, frame.TryReadMessage(out CoapMessage read));
            Assert.Equal((message.Code, CoapToken.From(message.Token)), (read.Code.Value, read.Token));
            Assert.Equal(message.Payload, read.Payload.ToArray());
            int at = 0;
            foreach (CoapOption option in read.Options)
            {
                Assert.Equal(options[at].Number, option.Number);
                Assert.Equal(options[at++].Value, option.Value.ToArray());
            }

            Assert.Equal(options.Length, at);
            Assert.Equal(CoapFraming.TooLarge, CoapFrame.TryRead(byHand, byHand.Length - 1, out _));
        },
        iter: 500);

    [Theory]
    [InlineData(0)]
    [InlineData(12)]
    [InlineData(13)]
    [InlineData(268)]
    [InlineData(269)]
    [InlineData(65_804)]
    [InlineData(65_805)]
    [InlineData(200_000)]
    public void Each_form_of_the_length_has_its_bounds(int size)
    {
        byte[] payload = new byte[Math.Max(size - 1, 0)];
        byte[] byHand = CoapStreamBytes.Message(0x45, [7], [], payload);
        Assert.Equal(byHand, Written(0x45, [7], [], payload));
        Assert.Equal(CoapFraming.Whole, CoapFrame.TryRead(byHand, byHand.Length, out CoapFrame frame));
        Assert.Equal(CoapFormatError.None, frame.TryReadMessage(out CoapMessage message));
        Assert.Equal(payload.Length, message.Payload.Length);
    }

    [Fact]
    public void Whatever_comes_it_never_throws() => Gen.Byte.Array[0, 64].Sample(
        static bytes =>
        {
            if (CoapFrame.TryRead(bytes, 1152, out CoapFrame frame) == CoapFraming.Whole)
            {
                Assert.InRange(frame.Length, 2, bytes.Length);
                frame.TryReadMessage(out _);
            }
        },
        iter: 100_000);

    [Fact]
    public void A_length_that_is_larger_than_any_message_is_refused_before_the_rest_has_come()
    {
        Assert.Equal(CoapFraming.TooLarge, CoapFrame.TryRead([0xf0, 0xff, 0xff, 0xff, 0xff], int.MaxValue, out _));
        Assert.Equal(CoapFraming.Broken, CoapFrame.TryRead([0x09], 1152, out _));
    }

    private static byte[] Written(byte code, byte[] token, (int Number, byte[] Value)[] options, byte[] payload)
    {
        byte[] bytes = new byte[4096];
        CoapWriter writer = new(bytes);
        foreach ((int number, byte[] value) in options)
        {
            writer.Option(number, value);
        }

        ArrayBufferWriter<byte> output = new();
        CoapFrame.Write(output, new CoapCode(code), CoapToken.From(token), bytes.AsSpan(0, writer.Length), payload);
        return output.WrittenSpan.ToArray();
    }
}
