using Doorbell.Sessions;

namespace Doorbell.Testing;

/// <summary>
/// Stands on top of a listener's layers, as on a real server's: when they are open and have named the peer, its address is counted. It then
/// leaves, or refuses the peer.
/// </summary>
/// <param name="connection">Whose peer is counted.</param>
/// <param name="admits">Decides and counts.</param>
/// <param name="refusal">What a peer that is refused is told.</param>
internal sealed class PeerCountLayer(ConnectionInfo connection, Func<PeerAddress, bool> admits, byte[] refusal) : StreamLayer
{
    private CountedPeer? _counted;

    public override int MaxUnitBytes => 1;

    public override object? Fact => _counted;

    public override LayerState Begin(OutputBuffer wire)
    {
        if (admits(connection.Peer))
        {
            _counted = new CountedPeer(connection.Peer);
            return LayerState.Transparent;
        }

        wire.Write(refusal);
        return LayerState.Refused;
    }

    /// <summary>Never called: it leaves, or refuses, as soon as it begins.</summary>
    public override Unwrapped Unwrap(ReadOnlySpan<byte> came, Span<byte> plain, OutputBuffer wire) =>
        throw new InvalidOperationException("A layer that has left was asked to unwrap.");
}

/// <summary>For whose address a connection behind layers is counted: a fact of the connection.</summary>
/// <param name="Peer">The peer at the time.</param>
internal sealed record CountedPeer(PeerAddress Peer);
