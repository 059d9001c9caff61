using System.Buffers.Binary;
using System.Security.Cryptography;
using Doorbell.Coap.Codec;

namespace Doorbell.Coap.Server;

/// <summary>
/// Which body a block belongs to: the peer's, of one method, with the same options (RFC 7959 section 2.4). The options that count name the
/// resource and the format; and Request-Tag, which tells apart the bodies that a client sends at the same time (RFC 9175 section 3).
/// </summary>
/// <param name="Peer">The peer's address.</param>
/// <param name="Request">A hash of the method and the options.</param>
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
