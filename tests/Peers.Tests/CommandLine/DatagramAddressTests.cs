namespace Doorbell.Tests;

/// <summary>Datagrams in a network namespace that the test makes, with several addresses and a small MTU.</summary>
public sealed class DatagramAddressTests
{
    private static readonly string _script = Path.Combine(Repository.Peers, "python", "datagram_addresses.py");

    [Fact]
    public void Every_address_answers_for_itself_and_what_is_larger_than_the_MTU_comes_once_and_whole()
    {
        Ended asked = Program.Run("unshare", ["--net", "--map-root-user", "python3", _script, Doorbells.File("native")]);
        Assert.True(asked.ExitCode == 0, asked.Output + asked.Error);
        Assert.Contains($"{6 * 3 * 3 * 20} datagrams", asked.Output, StringComparison.Ordinal);
        Assert.Contains(" 0 errors", asked.Output, StringComparison.Ordinal);
    }
}
