using System.Buffers;
using System.Buffers.Binary;
using Doorbell.Sessions;

namespace Doorbell;

/// <summary>
/// What a proxy says of the connection for which it speaks, before its first byte: the header of the PROXY protocol
/// (haproxy.org, doc/proxy-protocol.txt). A connection that came through <see cref="ProxyProtocol.Accept"/> has it as
/// <c>connection.Get&lt;ProxyHeader&gt;()</c>.
/// </summary>
public sealed record ProxyHeader
{
    /// <summary>The form of the header: 1, a line of text, or 2, binary.</summary>
    public required int Version { get; init; }

    /// <summary>
    /// Whether the proxy names no client: it speaks for itself (LOCAL), as for a health check, or does not know (UNKNOWN, UNSPEC). Then
    /// both addresses are of <see cref="AddressKind.None"/>, and the peer stays the proxy.
    /// </summary>
    public bool IsLocal => Source.Kind == AddressKind.None;

    /// <summary>The client, as the proxy saw it.</summary>
    public PeerAddress Source { get; init; }

    /// <summary>The address that the client asked.</summary>
    public PeerAddress Destination { get; init; }

    /// <summary>Whether the client speaks in datagrams to the proxy; only version 2 can say so.</summary>
    public bool IsDatagram { get; init; }

    /// <summary>The fields behind the addresses, as they came; only version 2 has some.</summary>
    public ReadOnlyMemory<byte> TlvBytes { get; init; }

    /// <summary>The fields one by one, read anew each time; those of a received header are known to be whole.</summary>
    /// <exception cref="FormatException">A field is longer than the bytes that are left.</exception>
    public IReadOnlyList<ProxyTlv> Tlvs
    {
        get
        {
            List<ProxyTlv> all = [];
            ReadOnlyMemory<byte> rest = TlvBytes;
            while (!rest.IsEmpty)
            {
                int length = rest.Length < ProxyTlv.PrefixBytes ? rest.Length : BinaryPrimitives.ReadUInt16BigEndian(rest.Span[1..]);
                if (ProxyTlv.PrefixBytes + length > rest.Length)
                {
                    throw new FormatException("The last field of the PROXY header is longer than the header.");
                }

                all.Add(new ProxyTlv(rest.Span[0], rest.Slice(ProxyTlv.PrefixBytes, length)));
                rest = rest[(ProxyTlv.PrefixBytes + length)..];
            }

            return all;
        }
    }

    /// <summary>Writes the header as it goes over the wire.</summary>
    /// <param name="wire">Where.</param>
    /// <exception cref="InvalidOperationException">
    /// Version 1 with fields, version 2 with more than 65,535 bytes behind its first 16, or a unix path of more than 108 bytes.
    /// </exception>
    public void Write(IBufferWriter<byte> wire) => ProxyHeaderWriter.Write(this, wire);

    /// <summary>
    /// Of a client and the address that it asked. A unix client without a path has no address to tell, and HAProxy refuses an empty path:
    /// its header is a local one.
    /// </summary>
    internal static ProxyHeader Of(int version, PeerAddress source, PeerAddress destination) =>
        source is { Kind: AddressKind.Unix, Path: null or "" }
            ? new ProxyHeader { Version = version }
            : new ProxyHeader { Version = version, Source = source, Destination = destination };
}
