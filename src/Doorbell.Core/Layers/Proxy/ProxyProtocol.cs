using Doorbell.Sessions;

namespace Doorbell;

/// <summary>
/// The PROXY protocol of versions 1 and 2 (haproxy.org, doc/proxy-protocol.txt) as a layer: a proxy says in front of a connection for
/// whom it speaks, so that the service behind it sees the client and not the proxy.
/// </summary>
public static class ProxyProtocol
{
    /// <summary>
    /// 1,024 bytes: the protocol asks senders to stay below 536, one segment of the smallest MTU, and the fields that are defined
    /// (a name of 255 bytes, an id of 128, TLS) reach a little beyond. A client certificate among them needs more.
    /// </summary>
    public const int DefaultMaxHeaderBytes = 1024;

    /// <summary>
    /// For a door behind a proxy: each connection begins with a header, which names its <see cref="ConnectionInfo.Peer"/>. A connection
    /// from any other address is closed as <see cref="CloseReason.PeerRefused"/>: who could send a header could name any client. One
    /// without a header, or with one that can't be read, is closed as <see cref="CloseReason.LayerFailed"/>.
    /// </summary>
    /// <remarks>
    /// <see cref="StreamLimits.OpeningTimeout"/> bounds the wait for the header, and <see cref="StreamLimits.FirstByteTimeout"/> that for
    /// the first byte behind it too.
    /// </remarks>
    /// <param name="trusted">The proxies' addresses. None trusts nobody.</param>
    /// <param name="maxHeaderBytes">Most bytes of a header of version 2, from 107 to 65,551.</param>
    /// <returns>For <c>DoorOptions.Layers</c>; usually the first.</returns>
    public static Func<ConnectionInfo, StreamLayer> Accept(IReadOnlyList<AddressRange> trusted, int maxHeaderBytes = DefaultMaxHeaderBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxHeaderBytes, ProxyWire.MaxLineBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxHeaderBytes, ProxyWire.FixedBytes + ushort.MaxValue);
        AddressRange[] ranges = [.. trusted];
        return connection => new ProxyAcceptLayer(IsIn(connection.TransportPeer, ranges), maxHeaderBytes);
    }

    /// <summary>For a connection that we open: names our own address as the client's.</summary>
    /// <param name="version">1 for a line of text, 2 for the binary form.</param>
    public static Func<ConnectionInfo, StreamLayer> Send(int version)
    {
        RequireKnown(version);
        return connection => new ProxySendLayer(ProxyHeader.Of(version, connection.Local, connection.TransportPeer));
    }

    /// <summary>For a connection that we open for another's: names the client for whom it is.</summary>
    /// <param name="header">What is said before the first byte.</param>
    public static Func<ConnectionInfo, StreamLayer> Send(ProxyHeader header)
    {
        RequireKnown(header.Version);
        return _ => new ProxySendLayer(header);
    }

    private static void RequireKnown(int version)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(version, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(version, 2);
    }

    private static bool IsIn(PeerAddress peer, AddressRange[] ranges)
    {
        foreach (AddressRange range in ranges)
        {
            if (range.Contains(peer))
            {
                return true;
            }
        }

        return false;
    }
}
