namespace Doorbell.Tests;

/// <summary>
/// What RFC 7252 says that a server does with a datagram, read from the text of sections 3, 4 and 5.4 alone: it shares no code with the
/// server, and is as plain as can be. The server has one resource, at <c>any</c>, of the methods 0.01 to 0.07.
/// </summary>
internal sealed class CoapReading
{
    private const int Confirmable = 0;
    private const int NonConfirmable = 1;
    private readonly byte[] _bytes;
    private readonly List<(int Number, byte[] Value)> _options = [];

    private CoapReading(byte[] bytes) => _bytes = bytes;

    /// <summary>The answers that the RFC allows, as <c>ACK 2.05</c>; nothing else may come, and <c>silence</c> is none.</summary>
    public static IReadOnlyList<string> AllowedFor(byte[] datagram) => new CoapReading(datagram).Allowed();

    private int Type => (_bytes[0] >> 4) & 3;

    private int TokenLength => _bytes[0] & 15;

    private int Class => _bytes[1] >> 5;

    private List<string> Allowed()
    {
        // Section 3: a message with another version is ignored; section 4.2 and 4.3: what is rejected is reset if it is confirmable.
        if (_bytes.Length < 4 || _bytes[0] >> 6 != 1)
        {
            return ["silence"];
        }

        string rejected = Type == Confirmable ? "RST 0.00" : "silence";
        if (!IsWellFormed() || _bytes[1] == 0 || Class != 0 || Type > NonConfirmable)
        {
            return [rejected];
        }

        string prefix = Type == Confirmable ? "ACK " : "NON ";
        return [.. Codes().Select(code => code == "silence" ? code : prefix + code)];
    }

    /// <summary>Section 3, and section 4.1 for the empty message.</summary>
    private bool IsWellFormed()
    {
        if (_bytes[1] == 0)
        {
            return _bytes.Length == 4 && TokenLength == 0;
        }

        if (TokenLength > 8 || Class is 1 or 6 or 7 || _bytes.Length < 4 + TokenLength)
        {
            return false;
        }

        int at = 4 + TokenLength;
        int number = 0;
        while (at < _bytes.Length && _bytes[at] != 0xff)
        {
            int first = _bytes[at++];
            int delta = Extended(first >> 4, ref at);
            int length = Extended(first & 15, ref at);
            if (delta < 0 || length < 0 || at + length > _bytes.Length || number + delta > 0xffff)
            {
                return false;
            }

            number += delta;
            _options.Add((number, _bytes[at..(at + length)]));
            at += length;
        }

        return at != _bytes.Length - 1;
    }

    /// <summary>Negative if it is reserved or cut.</summary>
    private int Extended(int nibble, ref int at)
    {
        int more = nibble switch { 13 => 1, 14 => 2, 15 => -1, _ => 0 };
        if (more < 0 || at + more > _bytes.Length)
        {
            return -1;
        }

        int value = more switch
        {
            1 => _bytes[at] + 13,
            2 => (_bytes[at] * 256) + _bytes[at + 1] + 269,
            _ => nibble,
        };
        at += more;
        return value;
    }

    private List<string> Codes()
    {
        bool isProxied = _options.Any(static option => option.Number is 35 or 39);
        bool isBad = _options.Where((option, i) => IsBad(option, i > 0 && _options[i - 1].Number == option.Number)).Any();
        bool hasBlock7 = _options.Any(static option => option.Number is 23 or 27 && option.Value is [.., var last] && (last & 7) == 7);
        if (isProxied || isBad || hasBlock7)
        {
            // Of several faults any may be told, but a bad option of a non-confirmable request is never answered as if it were known.
            string refused = Type == Confirmable ? "4.02" : "silence";
            string?[] codes = [isProxied ? "5.05" : null, isBad ? refused : null, hasBlock7 && !isBad ? "4.00" : null];
            return [.. codes.OfType<string>()];
        }

        List<byte[]> path = [.. _options.Where(static option => option.Number == 11).Select(static option => option.Value)];
        if (path.Count != 1 || !path[0].SequenceEqual("any"u8.ToArray()))
        {
            return ["4.04"];
        }

        // RFC 7959 has more to say of blocks; their own tests look at that.
        bool hasBlocks = _options.Any(static option => option.Number is 23 or 27);
        return _bytes[1] > 7 ? ["4.05"]
            : _options.Any(static option => option.Number == 17) ? ["4.06"]
            : hasBlocks ? ["2.04", "2.31", "4.00", "4.08"]
            : ["2.04"];
    }

    /// <summary>Section 5.4: a critical option that is unknown, has a wrong length, or comes again though it may not.</summary>
    private static bool IsBad((int Number, byte[] Value) option, bool isRepeated) => option.Number % 2 == 1 && option.Number switch
    {
        3 => option.Value.Length is 0 or > 255 || isRepeated,
        7 or 17 => option.Value.Length > 2 || isRepeated,
        11 or 15 => option.Value.Length > 255,
        23 or 27 => option.Value.Length > 3 || isRepeated,
        35 or 39 => false,
        _ => true,
    };
}
