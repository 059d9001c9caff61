using System.Buffers;
using CsCheck;
using Doorbell.Coap;

namespace Doorbell.Tests;

/// <summary>Whatever comes, malformed or at an edge, a server does what another reading of the RFC says.</summary>
public sealed class CoapReadingTests
{
    private static readonly int[] _numbers =
        [1, 2, 3, 4, 5, 6, 7, 8, 11, 11, 11, 12, 14, 15, 17, 20, 23, 27, 28, 35, 39, 60, 252, 258, 269, 270, 292, 2049, 65_000, 65_535];

    private static readonly byte[][] _values =
    [
        [], [0], [7], [0x0f], [6], [1, 2], [0x10, 0x0f], [1, 2, 3], [0, 0, 7], [1, 2, 3, 4], [.. "any"u8], [.. "any"u8],
        new byte[255], new byte[256],
    ];

    private static readonly string[] _types = ["CON", "NON", "ACK", "RST"];

    private static readonly Gen<byte[]> _message = Gen.Select(
        Gen.Frequency((8, Gen.Int[0, 1]), (1, Gen.Int[2, 3])),
        Gen.Frequency((8, Gen.Byte[1, 7]), (1, Gen.Byte[0, 31]), (1, Gen.Byte)),
        Gen.Byte.Array[0, 8],
        Gen.Select(Gen.OneOfConst(_numbers), Gen.OneOfConst(_values)).Array[0, 4],
        Gen.Bool,
        Gen.Byte.Array[0, 3]).Select(Write);

    /// <summary>Some are whole, some are cut, and some have a byte changed or put in.</summary>
    private static readonly Gen<byte[]> _datagram = Gen.Select(_message, Gen.Int[0, 5], Gen.Int[0, 1000], Gen.Byte).Select(
        static (message, fault, where, other) =>
        {
            int at = where % message.Length;
            return fault switch
            {
                0 => message[..at],
                1 => [.. message[..at], other, .. message[(at + 1)..]],
                2 => [.. message[..at], other, .. message[at..]],
                3 => [(byte)((message[0] & 0xf0) | (other & 15)), .. message[1..]],
                _ => message,
            };
        });

    [Fact]
    public void A_server_does_what_another_reading_of_the_RFC_says() => _datagram.Sample(
        static datagram =>
        {
            CoapServer server = new(CoapServerLimits.Default, TestSocket.Of(1));
            server.Add("any", new CoapResource(static (request, body) =>
            {
                body.Write(request.Payload);
                return CoapCode.Changed;
            })
            { HasEffect = false });
            byte[] answer = server.Received(datagram, CoapPeer.Near, default).ToArray();
            string shown = answer.Length == 0 ? "silence" : $"{_types[(answer[0] >> 4) & 3]} {answer[1] >> 5}.{answer[1] & 31:D2}";
            IReadOnlyList<string> allowed = CoapReading.AllowedFor(datagram);
            Assert.True(allowed.Contains(shown), $"{Convert.ToHexString(datagram)}: {shown}, and not {string.Join(" or ", allowed)}");
            if (answer.Length > 0)
            {
                // The answer is tied to the request by the message ID and, if it is no reset, by the token (sections 4.2 and 5.3.1).
                int token = answer[1] == 0 ? 0 : datagram[0] & 15;
                Assert.Equal(datagram[2..4], answer[2..4]);
                Assert.Equal(token, answer[0] & 15);
                Assert.Equal(datagram[4..(4 + token)], answer[4..(4 + token)]);
            }
        },
        iter: 20_000);

    /// <summary>By hand, as the writer of the library would refuse what is to be written here.</summary>
    private static byte[] Write(int type, byte code, byte[] token, (int Number, byte[] Value)[] options, bool hasPayload, byte[] payload)
    {
        List<byte> bytes = [(byte)(0x40 | (type << 4) | token.Length), code, 0x12, 0x34, .. token];
        int last = 0;
        foreach ((int number, byte[] value) in options.Append((11, [.. "any"u8])).OrderBy(static option => option.Item1))
        {
            List<byte> extensions = [];
            int delta = Nibble(number - last, extensions);
            bytes.Add((byte)((delta << 4) | Nibble(value.Length, extensions)));
            bytes.AddRange(extensions);
            bytes.AddRange(value);
            last = number;
        }

        if (hasPayload)
        {
            bytes.Add(0xff);
            bytes.AddRange(payload);
        }

        return [.. bytes];
    }

    private static int Nibble(int value, List<byte> extensions)
    {
        if (value < 13)
        {
            return value;
        }

        if (value < 269)
        {
            extensions.Add((byte)(value - 13));
            return 13;
        }

        extensions.Add((byte)((value - 269) >> 8));
        extensions.Add((byte)(value - 269));
        return 14;
    }
}
