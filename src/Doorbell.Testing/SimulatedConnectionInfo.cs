namespace Doorbell.Testing;

/// <summary>Who is connected on a network in memory.</summary>
internal sealed class SimulatedConnectionInfo(long id, Endpoint door, PeerAddress peer, PeerAddress local) : ConnectionInfo
{
    public override long Id => id;

    public override Endpoint Door => door;

    public override PeerAddress TransportPeer => peer;

    public override PeerAddress Local => local;
}
