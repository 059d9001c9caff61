namespace Doorbell.Coap.Server;

/// <summary>
/// Whom a peer's bounds count: all ports of an IPv4 address or of an IPv6 /64, or one unix socket. A host has its ports for nothing, and an
/// IPv6 network hands it a whole /64 (RFC 6177). A link-local address counts by itself, as all hosts of a link share their /64.
/// </summary>
internal readonly record struct CoapPeerHost
{
    private const int InterfaceBits = 64;
    private const int LinkLocalBits = 10;
    private const uint LinkLocal = 0xfe80 >> 6;

    private readonly AddressKind _kind;
    private readonly UInt128 _bits;
    private readonly uint _scopeId;
    private readonly string? _path;

    private CoapPeerHost(PeerAddress peer)
    {
        bool isNetwork = peer.Kind == AddressKind.IPv6 && peer.Bits >> (128 - LinkLocalBits) != LinkLocal;
        (_kind, _scopeId, _path) = (peer.Kind, peer.ScopeId, peer.Path);
        _bits = isNetwork ? peer.Bits >> InterfaceBits : peer.Bits;
    }

    public static CoapPeerHost Of(PeerAddress peer) => new(peer);
}
