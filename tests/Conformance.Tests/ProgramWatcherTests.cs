using Doorbell.Processes.Programs;
using Microsoft.Extensions.Logging.Abstractions;

namespace Doorbell.Tests;

/// <summary>The process that ends the programs of a killed server.</summary>
public sealed class ProgramWatcherTests
{
    /// <summary>The system may have no room for a process at one moment, and have some later.</summary>
    [Fact]
    public void One_that_could_not_be_started_is_started_with_a_later_program()
    {
        string shell = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        using (ProgramWatcher watcher = new(NullLogger.Instance, shell))
        {
            watcher.Set(0, int.MaxValue);
            Assert.False(IsRunning(shell));
            File.Copy("/bin/sh", shell);
            Peer.Eventually(
                () =>
                {
                    watcher.Set(1, int.MaxValue);
                    return IsRunning(shell);
                },
                "it watches");
        }

        Assert.False(IsRunning(shell));
        File.Delete(shell);
    }

    /// <summary>A child of this process runs that file.</summary>
    private static bool IsRunning(string shell) =>
        ChildProcesses.All().Any(child => new FileInfo($"/proc/{child}/exe").LinkTarget == shell);
}
