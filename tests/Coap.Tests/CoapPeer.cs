using System.Text;
using Doorbell.Coap;
using Doorbell.Coap.Codec;
using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>A peer of a CoAP server: writes requests, and shows answers as one line.</summary>
internal sealed class CoapPeer(CoapServer server, PeerAddress address)
{
    private ushort _id;

    /// <summary>On this machine: it needs no proof.</summary>
    public static PeerAddress Near { get; } = PeerAddress.IPv4(0x7f000001, 40_000);

    public static PeerAddress Stranger { get; } = PeerAddress.IPv4(0x0a000001, 40_000);

    /// <summary>The moment of what follows.</summary>
    public TimeSpan Now { get; set; }

    /// <summary>The last request's and the last answer's datagram.</summary>
    public byte[] Sent { get; private set; } = [];

    public byte[] Got { get; private set; } = [];

    public string Post(string path, string body, params (int Number, byte[] Value)[] options) =>
        Send(CoapType.Confirmable, CoapCode.Post, path, Encoding.UTF8.GetBytes(body), options);

    public string Get(string path, params (int Number, byte[] Value)[] options) =>
        Send(CoapType.Confirmable, CoapCode.Get, path, [], options);

    /// <summary>One block of a body.</summary>
    public string PostBlock(string path, string body, int number, int exponent, params (int Number, byte[] Value)[] options)
    {
        int size = 16 << exponent;
        int offset = number * size;
        bool more = offset + size < body.Length;
        string piece = body.Substring(offset, Math.Min(size, body.Length - offset));
        return Post(path, piece, [Block1(number, more, exponent), .. options]);
    }

    public string Send(
        CoapType type, CoapCode method, string path, byte[] body, params (int Number, byte[] Value)[] options)
    {
        byte[] bytes = new byte[2048];
        CoapWriter writer = new(bytes, type, method, _id, CoapToken.From([1, (byte)(_id >> 8), (byte)_id]));
        _id++;
        IEnumerable<(int Number, byte[] Value)> segments = path.Split('/')
            .Select(static segment => (CoapOptionNumber.UriPath, Encoding.UTF8.GetBytes(segment)));
        foreach ((int number, byte[] value) in segments.Concat(options).OrderBy(static option => option.Number))
        {
            writer.Option(number, value);
        }

        writer.Payload(body);
        Sent = bytes[..writer.Length];
        return SendAgain();
    }

    /// <summary>The same datagram.</summary>
    public string SendAgain()
    {
        Got = server.Received(Sent, new DatagramPath(address, default), Now, DateTimeOffset.UnixEpoch + Now).ToArray();
        return Show(Got);
    }

    /// <summary>An option of the last answer.</summary>
    public byte[] Option(int number)
    {
        Assert.Equal(CoapFormatError.None, CoapMessage.TryRead(Got, out CoapMessage message));
        Assert.True(message.Options.TryGet(number, out CoapOption option));
        return option.Value.ToArray();
    }

    public string Text() => CoapMessage.TryRead(Got, out CoapMessage message) == CoapFormatError.None
        ? Encoding.UTF8.GetString(message.Payload)
        : "";

    public static (int Number, byte[] Value) Block1(int number, bool more, int exponent) =>
        (CoapOptionNumber.Block1, Numeric(new CoapBlock(number, more, exponent).Value));

    public static (int Number, byte[] Value) Block2(int number, int exponent) =>
        (CoapOptionNumber.Block2, Numeric(new CoapBlock(number, false, exponent).Value));

    public static (int Number, byte[] Value) Tag(byte tag) => (CoapOptionNumber.RequestTag, [tag]);

    public static byte[] Numeric(uint value) =>
        [.. new[] { value >> 24, value >> 16, value >> 8, value }.Select(static part => (byte)part).SkipWhile(static part => part == 0)];

    /// <summary>
    /// As <c>ACK 2.05 b2=1/more/64 text</c>; empty for no datagram. A notification has a number sign, and may say how long it is fresh.
    /// </summary>
    public static string Show(ReadOnlySpan<byte> datagram, bool showsNotifications = false)
    {
        if (datagram.IsEmpty)
        {
            return "";
        }

        Assert.Equal(CoapFormatError.None, CoapMessage.TryRead(datagram, out CoapMessage message));
        string type = new[] { "CON", "NON", "ACK", "RST" }[(int)message.Type];
        StringBuilder line = new($"{type} {message.Code}");
        foreach (CoapOption option in message.Options)
        {
            string? shown = option.Number switch
            {
                CoapOptionNumber.ContentFormat => $"ct={option.Numeric}",
                CoapOptionNumber.Block1 => $"b1={ShowBlock(option)}",
                CoapOptionNumber.Block2 => $"b2={ShowBlock(option)}",
                CoapOptionNumber.Size1 => $"size1={option.Numeric}",
                CoapOptionNumber.Size2 => $"size2={option.Numeric}",
                CoapOptionNumber.Echo => "echo",
                CoapOptionNumber.Observe when showsNotifications => "#",
                CoapOptionNumber.MaxAge when showsNotifications => $"age={option.Numeric}",
                _ => null,
            };
            line.Append(shown is null ? "" : " " + shown);
        }

        // What is wrong is for people to read (RFC 7252 section 5.5.2): Text() has it.
        bool isDiagnostic = message.Code.Class >= 4;
        return isDiagnostic ? $"{line}" : $"{line} {Encoding.UTF8.GetString(message.Payload)}".TrimEnd();
    }

    private static string ShowBlock(CoapOption option)
    {
        Assert.True(CoapBlock.TryRead(option, out CoapBlock block));
        return $"{block.Number}/{(block.More ? "more" : "last")}/{block.Size}";
    }
}
