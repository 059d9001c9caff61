namespace Doorbell.Testing;

/// <summary>How many connections each address has, up to a limit; an IPv6 /64 counts as one address.</summary>
internal sealed class AddressCounts(int most)
{
    private readonly Dictionary<UInt128, int> _counts = [];

    public bool TryAdd(PeerAddress peer)
    {
        if (!IsCounted(peer))
        {
            return true;
        }

        int count = _counts.GetValueOrDefault(KeyOf(peer));
        if (count >= most)
        {
            return false;
        }

        _counts[KeyOf(peer)] = count + 1;
        return true;
    }

    public void Remove(PeerAddress peer)
    {
        if (IsCounted(peer) && --_counts[KeyOf(peer)] == 0)
        {
            _counts.Remove(KeyOf(peer));
        }
    }

    private static UInt128 KeyOf(PeerAddress peer) =>
        peer.Kind == AddressKind.IPv4 ? (peer.Bits << 1) | 1 : peer.Bits & ~(UInt128)ulong.MaxValue;

    private bool IsCounted(PeerAddress peer) => most != int.MaxValue && peer.Kind is AddressKind.IPv4 or AddressKind.IPv6;
}
