namespace Doorbell;

/// <summary>Who may come in, by address.</summary>
public sealed record AccessList
{
    /// <summary>The default: no address is denied.</summary>
    public static AccessList Everyone { get; } = new();

    /// <summary>Who may come in; none, the default, for everyone who is not in <see cref="Deny"/>.</summary>
    public IReadOnlyList<AddressRange> Allow { get; init; } = [];

    /// <summary>Who may not come in, even if <see cref="Allow"/> names the address too. Default none.</summary>
    public IReadOnlyList<AddressRange> Deny { get; init; } = [];

    /// <summary>Whether both lists are empty.</summary>
    public bool AdmitsEveryone => Allow.Count == 0 && Deny.Count == 0;

    /// <summary>Whether a peer may come in. One whose address is not known may do so only if both lists are empty.</summary>
    /// <param name="peer">Its address; the port does not matter.</param>
    public bool Admits(PeerAddress peer) =>
        AdmitsEveryone || (peer.Kind != AddressKind.None && !IsIn(Deny, peer) && (Allow.Count == 0 || IsIn(Allow, peer)));

    private static bool IsIn(IReadOnlyList<AddressRange> ranges, PeerAddress peer)
    {
        for (int i = 0; i < ranges.Count; i++)
        {
            if (ranges[i].Contains(peer))
            {
                return true;
            }
        }

        return false;
    }
}
