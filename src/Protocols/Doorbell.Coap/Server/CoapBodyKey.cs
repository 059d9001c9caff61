using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Doorbell.Coap;

/// <summary>
/// Whose body a block belongs to: the peer's, of this method, with these options (RFC 7959 section 2.4). Those count that say what is
/// asked, and Request-Tag, which tells bodies apart that a client sends at the same time (RFC 9175 section 3).
/// </summary>
/// <param name="Peer">Whose.</param>
/// <param name="Request">The method and options, hashed.</param>
internal readonly record struct CoapBodyKey(PeerAddress Peer, UInt128 Request)
{
    public static CoapBodyKey Of(PeerAddress peer, CoapMessage message)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> header = stackalloc byte[8];
        header.Clear();
        header[0] = message.Code.Value;
        hash.AppendData(header);
        foreach (CoapOption option in message.Options)
        {
            if (option.Number is CoapOptionNumber.UriHost or CoapOptionNumber.UriPort or CoapOptionNumber.UriPath
                or CoapOptionNumber.UriQuery or CoapOptionNumber.Accept or CoapOptionNumber.RequestTag)
            {
                BinaryPrimitives.WriteInt32BigEndian(header, option.Number);
                BinaryPrimitives.WriteInt32BigEndian(header[4..], option.Value.Length);
                hash.AppendData(header);
                hash.AppendData(option.Value);
            }
        }

        Span<byte> all = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(all);
        return new CoapBodyKey(peer, BinaryPrimitives.ReadUInt128BigEndian(all));
    }
}
