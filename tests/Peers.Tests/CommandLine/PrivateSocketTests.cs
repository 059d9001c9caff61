namespace Doorbell.Tests;

/// <summary>Unix sockets that are meant for their owner alone are so from the first moment that they are there.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class PrivateSocketTests
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    [Theory]
    [InlineData("impairing ", "impair", "udp://127.0.0.1:0", "udp://127.0.0.1:9", "--control", "unix://PATH")]
    [InlineData("impairing ", "impair", "tcp://127.0.0.1:0", "tcp://127.0.0.1:9", "--control", "unix://PATH")]
    [InlineData("serving ", "serve", "tcp://127.0.0.1:0", "--takeover", "PATH")]
    public async Task Nobody_sees_it_with_another_mode(string starts, params string[] arguments)
    {
        HashSet<UnixFileMode> seen = [];
        for (int run = 0; run < 10; run++)
        {
            string path = Path.Combine(Path.GetTempPath(), $"doorbell-private-{Guid.NewGuid():N}");
            using CancellationTokenSource started = new();
            Task watching = Task.Factory.StartNew(
                () => Watch(path, seen, started.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            using Program program = Doorbells.Start(
                "native", [.. arguments.Select(argument => argument.Replace("PATH", path, StringComparison.Ordinal))]);
            program.WaitForLine(starts);

            // A server says that it serves before it can be taken over.
            Assert.True(SpinWait.SpinUntil(() => File.Exists(path), TimeSpan.FromSeconds(20)), $"{path} is not there");

            await started.CancelAsync();
            await watching;
            seen.Add(File.GetUnixFileMode(path));
        }

        Assert.Equal([Private], seen);
    }

    private static void Watch(string path, HashSet<UnixFileMode> seen, CancellationToken started)
    {
        while (!started.IsCancellationRequested)
        {
            try
            {
                seen.Add(File.GetUnixFileMode(path));
            }
            catch (FileNotFoundException)
            {
                // Not yet.
            }
        }
    }
}
