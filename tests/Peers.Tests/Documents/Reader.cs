using System.Text.RegularExpressions;

namespace Doorbell.Tests.Documents;

/// <summary>
/// Who reads a page and types what it says. The folder has a clone of the repository, <c>doorbell</c>, and the command is on the PATH. The
/// network has nothing but loopback, and in it the reader is root, so every port of the page is free.
/// </summary>
internal sealed class Reader : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(10);
    private static readonly Regex _ready = new("^(serving|relaying|impairing|receiving) ", RegexOptions.Multiline);

    /// <summary>What <c>listen -v</c> says, whose standard output is its peer's.</summary>
    private const string Listening = "doorbell: listening on ";

    private readonly string _folder = Directory.CreateTempSubdirectory("doorbell-docs-").FullName;
    private readonly Program _network = Program.Start(
        "unshare", "--map-root-user", "--net", "sh", "-c", "ip link set lo up && echo up && exec sleep 1000");

    private readonly List<(string Line, Program Program)> _servers = [];
    private (string Line, Program Program)? _last;

    public Reader()
    {
        Save("dotnet", $$"""
            #!/bin/sh
            # What "dotnet run" would build is built already: of a project by ./test, and of a file by this test.
            PATH=${PATH#*:}
            case "$*" in
            *--project*) cd '{{Repository.Root}}' && shift && exec dotnet run --no-build "$@";;
            *.cs) for file; do :; done; exec dotnet "built/$(basename "$file" .cs).dll";;
            esac

            """);
        _network.WaitForLine("up");
    }

    /// <summary>Makes a file of a block. A script that begins with <c>#!</c> is made executable.</summary>
    public void Save(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        if (path.EndsWith(".cs", StringComparison.Ordinal))
        {
            string built = Directory.CreateDirectory(Path.Combine(_folder, "built")).FullName;
            DocumentedCode.Build(text, Path.Combine(built, Path.ChangeExtension(name, ".dll")));
        }

        if (text.StartsWith("#!", StringComparison.Ordinal))
        {
            Assert.Equal(0, Program.Run("chmod", ["+x", path]).ExitCode);
        }
    }

    /// <summary>Types a line, and waits until the command has ended well, or serves.</summary>
    public void Types(string line) => Types(line, _patience);

    /// <summary>The same, with nothing on standard input.</summary>
    /// <param name="line">What is typed.</param>
    /// <param name="patience">How long it may take.</param>
    /// <param name="orSays">What it may fail with.</param>
    public void TypesWithoutInput(string line, TimeSpan patience, string orSays) => Types(line, patience, orSays, hasInput: false);

    private void Types(string line, TimeSpan patience, string? orSays = null, bool hasInput = true)
    {
        string path = $"{_folder}:{Path.GetDirectoryName(Doorbells.File("native"))}:" + Environment.GetEnvironmentVariable("PATH");
        Program program = Program.Start(
            "env", "--chdir", _folder, $"PATH={path}", "setsid",
            "nsenter", "--target", $"{_network.Id}", "--user", "--net", "--preserve-credentials", "sh", "-c", line);
        if (!hasInput)
        {
            program.Input.Close();
        }

        _last = (line, program);
        _servers.Add(_last.Value);
        WaitFor(
            () => program.HasEnded || _ready.IsMatch(program.Output) || program.Error.Contains(Listening, StringComparison.Ordinal),
            "has neither ended nor begun to serve",
            patience);
        if (program.HasEnded)
        {
            Ended ended = program.WaitForEnd();
            bool isExcused = orSays is not null && ended.Error.Contains(orSays, StringComparison.Ordinal);
            Assert.True(ended.ExitCode == 0 || isExcused, $"{line}: ended with {ended.ExitCode}: {ended.Output}{ended.Error}");
            Assert.False(IsServer(line), $"{line}: the server has ended: {ended.Output}{ended.Error}");
        }
    }

    /// <summary>What the last line prints.</summary>
    public void Sees(Regex expected) =>
        WaitFor(() => expected.IsMatch(_last!.Value.Program.Output), $"does not print what matches {expected}");

    /// <summary>Each server drains and ends well.</summary>
    public void EndsServers()
    {
        foreach ((string line, Program server) in _servers.Where(static each => !each.Program.HasEnded))
        {
            // One that serves a single client may have ended by itself meanwhile: then there is nothing to signal.
            Assert.True(
                Program.Run("kill", ["-TERM", "--", $"-{server.Id}"]).ExitCode == 0 || server.WaitForEnd().ExitCode == 0, line);
            Assert.True(server.WaitForEnd().ExitCode is 0 or 143, $"{line}: ended with {server.WaitForEnd()}");
        }
    }

    public void Dispose()
    {
        _servers.ForEach(static each => each.Program.Dispose());
        _network.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static bool IsServer(string line) => line.StartsWith("doorbell serve", StringComparison.Ordinal);

    private void WaitFor(Func<bool> condition, string otherwise, TimeSpan? patience = null)
    {
        (string line, Program program) = _last!.Value;
        DateTime deadline = DateTime.UtcNow + (patience ?? _patience);
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < deadline, $"{line}: {otherwise}; output: {program.Output} error: {program.Error}");
            program.EndsWithin(_pause);
        }
    }
}
