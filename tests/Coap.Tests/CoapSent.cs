using System.Text;
using Doorbell.Coap;
using Doorbell.Coap.Codec;

namespace Doorbell.Tests;

/// <summary>A message as it was sent, read.</summary>
internal sealed record CoapSent(CoapType Type, CoapCode Code, ushort MessageId, CoapToken Token, string Path, string Text)
{
    public CoapBlock? Block1 { get; private init; }

    public CoapBlock? Block2 { get; private init; }

    public string Echo { get; private init; } = "";

    public uint? RequestTag { get; private init; }

    public uint? Observe { get; private init; }

    public static CoapSent Read(ReadOnlySpan<byte> datagram)
    {
        Assert.Equal(CoapFormatError.None, CoapMessage.TryRead(datagram, out CoapMessage message));
        List<string> path = [];
        foreach (CoapOption option in message.Options)
        {
            if (option.Number == CoapOptionNumber.UriPath)
            {
                path.Add(Encoding.UTF8.GetString(option.Value));
            }
        }

        string text = Encoding.UTF8.GetString(message.Payload);
        return new CoapSent(message.Type, message.Code, message.MessageId, message.Token, string.Join('/', path), text)
        {
            Block1 = Block(message, CoapOptionNumber.Block1),
            Block2 = Block(message, CoapOptionNumber.Block2),
            Echo = message.Options.TryGet(CoapOptionNumber.Echo, out CoapOption echo) ? Encoding.UTF8.GetString(echo.Value) : "",
            Observe = message.Options.TryGet(CoapOptionNumber.Observe, out CoapOption observe) ? (uint)observe.Numeric : null,
            RequestTag = message.Options.TryGet(CoapOptionNumber.RequestTag, out CoapOption tag) ? (uint)tag.Numeric : null,
        };
    }

    public static byte[] Empty(CoapType type, ushort messageId) =>
        [(byte)(0x40 | ((int)type << 4)), 0, (byte)(messageId >> 8), (byte)messageId];

    /// <summary>A message that answers this one.</summary>
    public byte[] Answer(CoapType type, ushort messageId, CoapCode code, string text, params (int Number, uint Value)[] options) =>
        Answer(type, messageId, code, Encoding.UTF8.GetBytes(text), options);

    public byte[] Answer(CoapType type, ushort messageId, CoapCode code, ReadOnlySpan<byte> body, params (int Number, uint Value)[] options)
    {
        byte[] bytes = new byte[2048];
        CoapWriter writer = new(bytes, type, code, messageId, Token);
        foreach ((int number, uint value) in options)
        {
            writer.Option(number, value);
        }

        writer.Payload(body);
        return bytes[..writer.Length];
    }

    private static CoapBlock? Block(in CoapMessage message, int number) =>
        message.Options.TryGet(number, out CoapOption option) && CoapBlock.TryRead(option, out CoapBlock block) ? block : null;
}
