namespace Doorbell.Tests;

/// <summary>A reading of the counts as people see it in a log or a debugger.</summary>
public sealed class LedgerSnapshotTests
{
    [Fact]
    public void A_fresh_one_says_that_nothing_was_counted() => Assert.Equal("nothing counted", new Ledger().Read().ToString());

    [Fact]
    public void What_was_counted_is_named_and_no_type_of_dotnet_is()
    {
        LedgerSnapshot counted = new Ledger().Read() with
        {
            ConnectionsOpened = 3,
            ConnectionsClosed = [.. Enum.GetValues<CloseReason>().Select(static reason => reason == CloseReason.PeerReset ? 2L : 0)],
            DatagramsDropped = [.. Enum.GetValues<DatagramDrop>().Select(static why => why == DatagramDrop.Truncated ? 1L : 0)],
            Counters = new Dictionary<string, long> { ["coap.bodies"] = 7, ["coap.none"] = 0 },
        };
        Assert.Equal("ConnectionsOpened 3, PeerReset 2, DroppedTruncated 1, coap.bodies 7", counted.ToString());
    }
}
