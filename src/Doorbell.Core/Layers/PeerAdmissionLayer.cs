namespace Doorbell.Sessions;

/// <summary>
/// Stands on top of a door's layers and asks the admission once more, when they are open and have said whose the connection is. It then
/// leaves, or refuses the peer.
/// </summary>
/// <param name="connection">Whose peer is asked for.</param>
/// <param name="admits">Decides, and counts what it refuses.</param>
/// <param name="refusal">What a peer that is refused is told; not copied.</param>
/// <remarks>Of one connection, and called on its lane's thread alone. Its fact is the <see cref="CountedAddress"/>.</remarks>
public sealed class PeerAdmissionLayer(ConnectionInfo connection, Func<PeerAddress, bool> admits, byte[] refusal) : StreamLayer
{
    private CountedAddress? _counted;

    /// <inheritdoc/>
    public override int MaxUnitBytes => 1;

    /// <inheritdoc/>
    public override object? Fact => _counted;

    /// <inheritdoc/>
    public override LayerState Begin(OutputBuffer wire)
    {
        if (admits(connection.Peer))
        {
            _counted = new CountedAddress(connection.Peer);
            return LayerState.Transparent;
        }

        wire.Write(refusal);
        return LayerState.Refused;
    }

    /// <summary>Never called: it is transparent, or refuses, as soon as it begins.</summary>
    public override Unwrapped Unwrap(ReadOnlySpan<byte> came, Span<byte> plain, OutputBuffer wire) =>
        throw new InvalidOperationException("A layer that has left was asked to unwrap.");
}
