namespace Doorbell.Tests;

/// <summary>
/// The command in a container (pid_namespaces(7)): as its first process, to which orphans come, and below a first process that reaps none.
/// </summary>
public sealed class FirstProcessTests
{
    private const string LeavesAnOrphan = "(sleep .1) & echo now";

    [Theory]
    [MemberData(nameof(Doorbells.Both), MemberType = typeof(Doorbells))]
    public void A_connection_ends_though_process_1_reaps_no_orphans(string kind)
    {
        (Program server, Endpoint endpoint) = ServeBelowSleep(kind, "--mount-proc", "--shell", LeavesAnOrphan);
        using (server)
        {
            for (int i = 0; i < 3; i++)
            {
                Assert.Equal("now\n", Doorbells.Run("native", "", "connect", endpoint.ToString()).Output);
            }

            SignalServer(server, "TERM");
            Assert.Contains("served 3 connections", server.WaitForLine("served "), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_limit_ends_a_connection_though_nobody_can_tell_that_its_processes_have_ended()
    {
        // Without a /proc of its own the server can't tell which of the group's processes have ended.
        (Program server, Endpoint endpoint) = ServeBelowSleep("native", "--fork", "--max-lifetime", "500ms", "--shell", LeavesAnOrphan);
        using (server)
        {
            Assert.Equal("now\n", Doorbells.Run("native", "", "connect", endpoint.ToString()).Output);
            server.WaitForError("is left behind");
        }
    }

    [Theory]
    [MemberData(nameof(Doorbells.Both), MemberType = typeof(Doorbells))]
    public void As_process_1_it_serves_and_reaps_what_programs_leave_behind(string kind)
    {
        (Program server, Endpoint endpoint) = Doorbells.StartServer(
            "unshare",
            [
                "--user", "--map-root-user", "--pid", "--kill-child", "--fork", "--mount-proc", Doorbells.File(kind), "serve",
                "tcp://127.0.0.1:0", "--shell", "setsid sleep .1 & echo now",
            ]);
        using (server)
        {
            int first = ChildProcesses.Of(server.Id).Single();
            int watcher = ChildProcesses.Of(first).Single();
            for (int i = 0; i < 3; i++)
            {
                Assert.Equal("now\n", Doorbells.Run("native", "", "connect", endpoint.ToString()).Output);
            }

            DateTime deadline = DateTime.UtcNow + TimeSpan.FromSeconds(30);
            while (!ChildProcesses.Of(first).SequenceEqual([watcher]))
            {
                Assert.True(DateTime.UtcNow < deadline, "an orphan was not reaped");
                Thread.Yield();
            }

            SignalServer(server, "TERM");
            Assert.Contains("served 3 connections", server.WaitForLine("served "), StringComparison.Ordinal);
            Assert.Equal(0, server.WaitForEnd().ExitCode);
        }
    }

    private static (Program Server, Endpoint Endpoint) ServeBelowSleep(string kind, string proc, params string[] arguments) =>
        Doorbells.StartServer(
            "unshare",
            [
                "--user", "--map-root-user", "--pid", "--kill-child", "--fork", proc, "sh", "-c", "\"$@\" & exec sleep 1000", "sh",
                Doorbells.File(kind), "serve", "tcp://127.0.0.1:0", .. arguments,
            ]);

    /// <summary>Signals the server, which is the first process or its only child.</summary>
    private static void SignalServer(Program unshare, string name)
    {
        int first = ChildProcesses.Of(unshare.Id).Single();
        bool isSleep = File.ReadAllText($"/proc/{first}/comm").StartsWith("sleep", StringComparison.Ordinal);
        int server = isSleep ? ChildProcesses.Of(first)[0] : first;
        Assert.Equal(0, Program.Run("kill", ["-" + name, $"{server}"]).ExitCode);
    }
}
