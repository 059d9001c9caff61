namespace Doorbell.Tests;

/// <summary>Whom a list of addresses admits.</summary>
public sealed class AccessListTests
{
    private static readonly PeerAddress _near = PeerAddress.IPv4(0x0a000001, 7000);
    private static readonly PeerAddress _far = PeerAddress.IPv4(0xc0000201, 7000);
    private static readonly PeerAddress _unix = PeerAddress.FromUnix(null);

    [Fact]
    public void Without_an_entry_everyone_is_admitted_even_one_whose_address_is_not_known()
    {
        Assert.True(AccessList.Everyone.AdmitsEveryone);
        Assert.All([_near, _far, _unix, default], static peer => Assert.True(AccessList.Everyone.Admits(peer)));
    }

    [Fact]
    public void Those_who_are_allowed_are_admitted_and_nobody_else()
    {
        AccessList list = new() { Allow = [AddressRange.Parse("10.0.0.0/8"), AddressRange.Unix] };
        Assert.Equal([true, false, true, false], Admitted(list));
    }

    [Fact]
    public void Those_who_are_denied_are_not_admitted_and_all_others_whose_address_is_known_are()
    {
        AccessList list = new() { Deny = [AddressRange.Parse("10.0.0.0/8")] };
        Assert.Equal([false, true, true, false], Admitted(list));
    }

    [Fact]
    public void A_denial_wins_over_a_permission_whichever_is_narrower()
    {
        AccessList hole = new() { Allow = [AddressRange.Parse("10.0.0.0/8")], Deny = [AddressRange.Parse("10.0.0.1")] };
        Assert.Equal([false, false, false, false], Admitted(hole));
        AccessList both = new() { Allow = [AddressRange.Parse("10.0.0.1")], Deny = [AddressRange.Parse("10.0.0.0/8")] };
        Assert.Equal([false, false, false, false], Admitted(both));
        Assert.True(hole.Admits(PeerAddress.IPv4(0x0a000002, 1)));
    }

    private static IEnumerable<bool> Admitted(AccessList list) =>
        new[] { _near, _far, _unix, default }.Select(list.Admits);
}
