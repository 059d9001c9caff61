using System.Text;

namespace Doorbell.Tests;

/// <summary>The scripts that complete, typed at by somebody who presses the tab key: in bash, zsh and fish, each on a terminal.</summary>
public sealed class CompletionTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("doorbell-completion-");

    /// <summary>What is typed, and the arguments that the command then gets. The tab key is where the arrow is.</summary>
    private static readonly (string Typed, string Arguments)[] _typed =
    [
        ("ser→", "serve"),
        ("serve --model it→", "serve|--model|iterative"),
        ("serve --model=it→", "serve|--model=iterative"),
        ("serve --option SO_KEEPAL→1", "serve|--option|SO_KEEPALIVE=1"),
        ("serve --engine po→", "serve|--engine|portable"),
        ("serve dayt→", "serve|daytime"),
        ("serve echo tcp→7", "serve|echo|tcp://localhost:7"),
        ("serve echo tcp://localhost:7 + dayt→", "serve|echo|tcp://localhost:7|+|daytime"),
        ("serve --config conf→", "serve|--config|config.json"),
        ("ask --timeo→3", "ask|--timeout|3"),
        ("ask --method DE→", "ask|--method|DELETE"),
        ("options unix+→", "options|unix+dgram"),
        ("demo na→", "demo|nagle"),
        ("impair 1 2 --like wi→", "impair|1|2|--like|wifi"),
        ("help pro→", "help|probe"),
    ];

    public static TheoryData<string> Shells => ["bash", "zsh", "fish"];

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(Shells))]
    public void The_tab_key_completes(string shell)
    {
        Write("config.json", "{}");
        string doorbell = Write("doorbell", $$"""
            #!/bin/sh
            [ "$1" = completion ] && exec '{{Doorbells.File("native")}}' "$@"
            (IFS='|'; echo "$*" >> arguments)

            """);
        Assert.Equal(0, Program.Run("chmod", ["+x", doorbell]).ExitCode);
        string[] command = shell switch
        {
            "bash" => ["bash", "--noprofile", "--rcfile", Write("bashrc", "PS1='READY> '\n. <(doorbell completion bash)\n"), "-i"],
            "zsh" => ["zsh", "-i"],
            _ => ["fish", "-i", "-C", $"source {Write("fishrc", "function fish_prompt; echo -n 'READY> '; end\n"
                + "function fish_greeting; end\ndoorbell completion fish | source\n")}"],
        };
        Write(".zshrc", "PROMPT='READY> '\nautoload -U compinit && compinit -u -D\n. <(doorbell completion zsh)\n");
        string lines = string.Concat(_typed.Select(static one => $"doorbell {one.Typed.Replace('→', '\t')}\n"));
        string script = Path.Combine(Repository.Peers, "python", "typed_at_a_shell.py");
        string folder = _folder.FullName;
        string path = $"{folder}:{Environment.GetEnvironmentVariable("PATH")}";
        using Program typist = Program.Start(
            "env", ["--chdir", folder, $"HOME={folder}", $"ZDOTDIR={folder}", "TERM=xterm", $"PATH={path}", "python3", script, .. command]);
        typist.Input.Write(Encoding.UTF8.GetBytes(lines));
        typist.Input.Close();
        Ended ended = typist.WaitForEnd(TimeSpan.FromMinutes(2));
        Assert.True(ended.ExitCode == 0, $"{ended.ExitCode}: {ended.Error}{PrintableText.Escape(ended.Output)}");
        Assert.Equal(_typed.Select(static one => one.Arguments), File.ReadAllLines(Path.Combine(folder, "arguments")));
    }

    [Theory]
    [InlineData("", "serve ask connect options demo bench impair relay probe help version completion")]
    [InlineData("pr", "probe")]
    [InlineData("completion|", "bash zsh fish powershell")]
    [InlineData("ask|--", "--timeout --tries --crlf --method --raw --json --help")]
    [InlineData("ask|--json|--j", "")]
    [InlineData("serve|--option|TCP_NODELAY=1|--opti", "--option")]
    [InlineData("ask|--|--j", "")]
    [InlineData("version|x", "")]
    [InlineData("serve|--exec|cat|--m", "")]
    [InlineData("serve|--at-limit=", "--at-limit=make-room --at-limit=backlog --at-limit=close")]
    [InlineData("relay|--proxy-protocol|", "v1 v2")]
    public void The_words_are_the_parsers(string typed, string expected)
    {
        string[] words = typed.Split('|');
        Ended ended = Doorbells.Run("native", "", ["completion", "words", "--", .. words]);
        Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
        string[] offered = [.. ended.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => line.Split('\t')[0])];
        string[] needed = expected.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Empty(needed.Except(offered));
        Assert.All(offered, offer => Assert.StartsWith(words[^1], offer, StringComparison.Ordinal));
        Assert.True(needed.Length > 0 || offered.Length == 0, ended.Output);
        Assert.DoesNotContain("words", offered);
    }

    private string Write(string name, string text)
    {
        string path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }
}
