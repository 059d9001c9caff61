namespace Doorbell.Testing;

/// <summary>Addresses as a dictionary's keys: the same equality, a cheaper hash that no process's chance is in.</summary>
internal sealed class AddressComparer : IEqualityComparer<PeerAddress>
{
    public static AddressComparer Instance { get; } = new();

    public bool Equals(PeerAddress x, PeerAddress y) => x.Bits == y.Bits && x.Port == y.Port && x == y;

    public int GetHashCode(PeerAddress address)
    {
        ulong mixed = ((ulong)address.Bits ^ (ulong)(address.Bits >> 64) ^ ((ulong)address.Port << 40)) * 0x9e3779b97f4a7c15;
        return (int)(mixed >> 32) ^ (address.Path is { } path ? string.GetHashCode(path, StringComparison.Ordinal) : 0);
    }
}
