using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Doorbell.Coap.Server;

/// <summary>
/// Values of the Echo option (RFC 9175 section 2) that need no memory: an HMAC of the peer's address and of the number of the time
/// window. A peer that sends a value back has received it, so it does have that address.
/// </summary>
internal sealed class CoapEcho(byte[] key, TimeSpan window)
{
    /// <summary>Bytes of a value: enough that guesses are hopeless (RFC 9175 section 5).</summary>
    private const int Length = sizeof(ulong);

    /// <summary>The value for a peer now.</summary>
    public ulong ValueFor(PeerAddress peer, TimeSpan now) => Compute(peer, now.Ticks / window.Ticks);

    /// <summary>Whether a value was given to this peer in this time window or in the one before.</summary>
    public bool IsGood(PeerAddress peer, TimeSpan now, ReadOnlySpan<byte> value)
    {
        if (value.Length != Length)
        {
            return false;
        }

        Span<byte> expected = stackalloc byte[Length];
        long current = now.Ticks / window.Ticks;
        for (long number = current; number >= Math.Max(current - 1, 0); number--)
        {
            BinaryPrimitives.WriteUInt64BigEndian(expected, Compute(peer, number));
            if (CryptographicOperations.FixedTimeEquals(expected, value))
            {
                return true;
            }
        }

        return false;
    }

    private ulong Compute(PeerAddress peer, long number)
    {
        Span<byte> input = stackalloc byte[32];
        input.Clear();
        BinaryPrimitives.WriteUInt128BigEndian(input, peer.Bits);
        BinaryPrimitives.WriteInt64BigEndian(input[16..], number);
        BinaryPrimitives.WriteUInt32BigEndian(input[24..], peer.ScopeId);
        BinaryPrimitives.WriteUInt16BigEndian(input[28..], peer.Port);
        input[30] = (byte)peer.Kind;
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, input, hash);
        return BinaryPrimitives.ReadUInt64BigEndian(hash);
    }
}
