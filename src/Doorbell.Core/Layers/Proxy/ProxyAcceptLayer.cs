namespace Doorbell.Sessions;

/// <summary>Reads a PROXY header from the front of a connection, and then leaves.</summary>
internal sealed class ProxyAcceptLayer(bool isTrusted, int maxBytes) : StreamLayer
{
    private ProxyHeader? _header;

    public override int MaxUnitBytes => maxBytes;

    public override object? Fact => _header;

    public override LayerState Begin(OutputBuffer wire)
    {
        Failure = isTrusted ? null : "a PROXY header is not accepted from this address";
        return isTrusted ? LayerState.Opening : LayerState.Refused;
    }

    public override Unwrapped Unwrap(ReadOnlySpan<byte> came, Span<byte> plain, OutputBuffer wire)
    {
        int length = ProxyHeaderReader.Read(came, maxBytes, out _header, out string? failure);
        Failure = failure is null ? null : $"the PROXY header can't be read: {failure}";
        LayerState state = failure is not null ? LayerState.Failed : length > 0 ? LayerState.Transparent : LayerState.Opening;
        return new Unwrapped(length, 0, state);
    }

    public override PeerAddress Peer(PeerAddress seen) => _header is { IsLocal: false } header ? header.Source : seen;
}
