namespace Doorbell.Lanes;

/// <summary>A connection just accepted.</summary>
/// <param name="Descriptor">Owned by whoever holds this.</param>
/// <param name="At">Where it came in.</param>
/// <param name="Peer">Whose it is.</param>
internal readonly record struct AcceptedSocket(int Descriptor, Door At, PeerAddress Peer)
{
    /// <summary>The endpoint where it came in.</summary>
    public Endpoint Door => At.Endpoint;
}
