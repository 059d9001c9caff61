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

    /// <summary>The umask would let everyone connect.</summary>
    [Fact]
    public async Task A_socket_with_a_mode_is_at_no_moment_more_open()
    {
        HashSet<UnixFileMode> seen = [];
        const UnixFileMode Asked = Private | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
        for (int run = 0; run < 10; run++)
        {
            string path = Path.Combine(Path.GetTempPath(), $"doorbell-private-{Guid.NewGuid():N}");
            using CancellationTokenSource started = new();
            Task watching = Task.Factory.StartNew(
                () => Watch(path, seen, started.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            using Program program = Program.Start(
                "bash", ["-c", $"umask 0; exec {Doorbells.File("native")} serve echo unix://{path} --socket-mode 0660"]);
            program.WaitForLine("serving ");
            await started.CancelAsync();
            await watching;
            Assert.Equal(Asked, File.GetUnixFileMode(path));
        }

        Assert.Subset(new HashSet<UnixFileMode> { Private, Asked }, seen);
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
