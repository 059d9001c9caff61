using System.Text;

namespace Doorbell.Tests;

/// <summary>
/// The command's build for Windows, under wine: Windows' calls on the machine's own loopback, so that programs of Linux are its peers.
/// </summary>
internal static class Wine
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);

    private static readonly Dictionary<string, string> _environment = new()
    {
        ["WINEPREFIX"] = Path.Combine(Repository.Root, "artifacts", "wine"),
        ["WINEDEBUG"] = "-all",

        // No debugger at a crash, which would take minutes; no browser of wine's own, and no screen.
        ["WINEDLLOVERRIDES"] = "winedbg.exe,mshtml=",
        ["DISPLAY"] = "",
    };

    private static readonly Lazy<bool> _booted = new(Boot);

    /// <summary>Starts the command.</summary>
    public static Program Start(params string[] arguments)
    {
        Assert.True(_booted.Value);
        return Program.Start("wine", [Doorbells.WindowsFile, .. arguments], _environment);
    }

    /// <summary>Runs the command to its end.</summary>
    public static Ended Run(string input, params string[] arguments)
    {
        using Program program = Start(arguments);
        program.Input.Write(Encoding.UTF8.GetBytes(input));
        program.Input.Close();
        Ended ended = program.WaitForEnd(_patience);
        return ended with { Output = Unix(ended.Output), Error = Unix(ended.Error) };
    }

    /// <summary>Starts a shell of Linux with wine's environment.</summary>
    public static Program StartShell(string line)
    {
        Assert.True(_booted.Value);
        return Program.Start("bash", ["-c", line], _environment);
    }

    /// <summary>Starts a server of one endpoint and answers its actual address.</summary>
    public static (Program Server, Endpoint Endpoint) Serve(params string[] arguments)
    {
        Program server = Start(["serve", .. arguments]);
        string line = server.WaitForLine("serving ").TrimEnd();
        return (server, Endpoint.Parse(line[(line.LastIndexOf(' ') + 1)..], Coap.CoapService.Scheme));
    }

    /// <summary>Windows ends lines of text by CR and LF.</summary>
    private static string Unix(string text) => text.Replace("\r\n", "\n", StringComparison.Ordinal);

    /// <summary>
    /// Makes wine's folder, and starts what wine keeps running. That must not inherit the pipes of a program under test: their readers
    /// would wait for its end.
    /// </summary>
    private static bool Boot()
    {
        using Program boot = Program.Start("bash", ["-c", "exec wine wineboot --init > /dev/null 2>&1 < /dev/null"], _environment);
        Ended ended = boot.WaitForEnd(_patience);
        Assert.True(ended.ExitCode == 0, "wine can't make its folder: look at `wine wineboot`");
        return true;
    }
}
