namespace Doorbell.Sessions;

/// <summary>Writes a PROXY header in front of a connection that we opened, and then leaves.</summary>
internal sealed class ProxySendLayer(ProxyHeader header) : StreamLayer
{
    public override int MaxUnitBytes => 1;

    public override LayerState Begin(OutputBuffer wire)
    {
        header.Write(wire);
        return LayerState.Transparent;
    }

    public override Unwrapped Unwrap(ReadOnlySpan<byte> came, Span<byte> plain, OutputBuffer wire) => new(0, 0, LayerState.Transparent);
}
