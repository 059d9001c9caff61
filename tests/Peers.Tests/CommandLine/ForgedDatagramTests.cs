namespace Doorbell.Tests;

/// <summary>Datagrams with a forged source, in a network namespace that the test makes.</summary>
public sealed class ForgedDatagramTests
{
    private static readonly string _script = Path.Combine(Repository.Peers, "python", "forged_datagrams.py");

    [Fact]
    public void No_forged_datagram_goes_round_for_ever()
    {
        Ended forged = Program.Run("unshare", ["--net", "--map-root-user", "python3", _script, Doorbells.File("native")]);
        Assert.True(forged.ExitCode == 0, forged.Output + forged.Error);
        Assert.Contains("all ended", forged.Output, StringComparison.Ordinal);
    }
}
