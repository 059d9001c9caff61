namespace Doorbell.Tests;

/// <summary>Files that can't be read or written: each is told in the same words, errno(3)'s, whichever option has named it.</summary>
public sealed class FileErrorTests : IDisposable
{
    private readonly DirectoryInfo _here = Directory.CreateTempSubdirectory("doorbell-file-error-");

    public static TheoryData<string, string> Readers => new()
    {
        { "serve --config FILE", "a configuration" },
        { "ask --script FILE tcp://127.0.0.1:1", "a script" },
        { "connect --replay FILE tcp://127.0.0.1:1", "a recording" },
        { "impair udp://127.0.0.1:0 udp://127.0.0.1:9 --scenario FILE", "a scenario" },
        { "load --payload FILE tcp://127.0.0.1:1", "a payload" },
        { "serve socks tcp://127.0.0.1:0 --users FILE", "a list of users" },
    };

    [Theory]
    [MemberData(nameof(Readers))]
    public void What_can_not_be_read_is_told_by_its_errno(string words, string what)
    {
        string folder = _here.FullName;
        File.CreateSymbolicLink(Path.Combine(folder, "loop"), Path.Combine(folder, "loop"));
        foreach ((string file, string why) in ((string, string)[])
            [
                ($"{folder}/none", "ENOENT (No such file or directory)"),
                (folder, "EISDIR (Is a directory)"),
                ("/etc/passwd/x", "ENOTDIR (Not a directory)"),
                ($"{folder}/loop", "ELOOP (Too many levels of symbolic links)"),
                ($"{folder}/{new string('x', 300)}", "ENAMETOOLONG (File name too long)"),
            ])
        {
            Ended ended = Doorbells.Run("native", "", words.Replace("FILE", file, StringComparison.Ordinal).Split(' '));
            Assert.Equal(new Ended(2, "", $"doorbell: read {file}: {why}; give the path of {what}\n"), ended);
        }
    }

    /// <summary>A file without an end is not read to it.</summary>
    [Theory]
    [MemberData(nameof(Readers))]
    public void What_has_no_end_is_refused(string words, string what)
    {
        Ended ended = Doorbells.Run("native", "", words.Replace("FILE", "/dev/zero", StringComparison.Ordinal).Split(' '));
        Assert.Equal((2, ""), (ended.ExitCode, ended.Output));
        string line = Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("/dev/zero", line, StringComparison.Ordinal);
        Assert.Contains("more than", line, StringComparison.Ordinal);
        Assert.Contains(what, line, StringComparison.Ordinal);
    }

    /// <summary>Text that is no UTF-8 would be another one than the file's.</summary>
    [Theory]
    [InlineData("ask --script FILE tcp://127.0.0.1:1", "send \"a\"\nsend \"\u00ff\"\n")]
    [InlineData("impair udp://127.0.0.1:0 udp://127.0.0.1:9 --scenario FILE", "\n# \u00ff\n")]
    [InlineData("serve socks tcp://127.0.0.1:0 --users FILE", "a:b\nc:\u00ff\n")]
    [InlineData("connect --replay FILE tcp://127.0.0.1:1", "{\"recording\":1}\n{\"at\":0,\"sent\":\"\u00ff\"}\n")]
    [InlineData("serve --config FILE", "{\n\"Doors\":\"\u00ff\"}\n")]
    public void Text_that_is_no_utf_8_is_refused_with_its_line(string words, string text)
    {
        string file = Path.Combine(_here.FullName, "file");
        File.WriteAllText(file, text, System.Text.Encoding.Latin1);
        Ended ended = Doorbells.Run("native", "", words.Replace("FILE", file, StringComparison.Ordinal).Split(' '));
        Assert.Equal((2, ""), (ended.ExitCode, ended.Output));
        Assert.StartsWith($"doorbell: {file}:2: \"\\xff\"", ended.Error, StringComparison.Ordinal);
        string line = Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("is no UTF-8", line, StringComparison.Ordinal);
    }

    /// <summary>To Linux a name is bytes: .NET would open, or make, another file.</summary>
    [Fact]
    public void A_name_that_is_no_utf_8_is_the_file_of_that_name()
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", "tcp://127.0.0.1:0");
        using Program ends = server;
        string doorbell = Doorbells.File("native");
        Ended ended = Program.Run("bash", ["-ec",
            $"cd {_here.FullName}; printf 'send \"hi\\\\n\"\\nexpect \"HI\"\\n' >$'s\\xff'; "
            + $"'{doorbell}' ask --script $'s\\xff' {endpoint}; "
            + $"echo hello | '{doorbell}' connect --record $'r\\xff' {endpoint}; '{doorbell}' connect --replay $'r\\xff' {endpoint}; "
            + "ls | od -An -c; rm *"]);
        Assert.Equal("", ended.Error);
        string words = string.Join(' ', ended.Output.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(@"r 377 \n s 377 \n", words, StringComparison.Ordinal);
        Assert.Equal(0, ended.ExitCode);
    }

    [Theory]
    [InlineData("connect --record FILE tcp://127.0.0.1:PORT", "write FILE: ")]
    [InlineData("load --duration 100ms --plot FILE/x.svg tcp://127.0.0.1:PORT", "draw FILE/x.svg: ")]
    public void What_can_not_be_written_is_told_by_its_errno(string words, string says)
    {
        (Program server, Endpoint endpoint) = Doorbells.Serve("native", "capitalize", "tcp://127.0.0.1:0");
        using Program ends = server;
        string folder = words.Contains("svg", StringComparison.Ordinal) ? $"{_here.FullName}/none" : _here.FullName;
        string all = words.Replace("FILE", folder, StringComparison.Ordinal)
            .Replace("PORT", $"{endpoint.Port}", StringComparison.Ordinal);
        Ended ended = Doorbells.Run("native", "", all.Split(' '));
        Assert.Equal((1, ""), (ended.ExitCode, ended.Output));
        string why = folder == _here.FullName ? "EISDIR (Is a directory)" : "ENOENT (No such file or directory)";
        string expected = $"doorbell: {says.Replace("FILE", folder, StringComparison.Ordinal)}{why}; ";
        string line = Assert.Single(ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith(expected, line, StringComparison.Ordinal);
    }

    public void Dispose() => _here.Delete(recursive: true);
}
