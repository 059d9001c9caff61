using System.Text.RegularExpressions;

namespace Doorbell.Tests;

/// <summary>
/// Every option of every verb, as <c>--help</c> lists them, with values that are none: whatever the value, the command ends with one line
/// and an exit code, and the line has no word of .NET's in it.
/// </summary>
public sealed partial class OptionValueTests
{
    /// <summary>
    /// Each verb with words that can't succeed, so that a value which is taken ends too: TEST-NET-1 (RFC 5737) is no address of ours, and
    /// nobody listens where the clients go.
    /// </summary>
    public static TheoryData<string> Verbs =>
    [
        "serve echo tcp://192.0.2.1:9",
        "ask tcp://127.0.0.1:1 hello",
        "ask udp://127.0.0.1:1 hello",
        "ask tls://127.0.0.1:1 hello",
        "ask coap://127.0.0.1:1/x hello",
        "connect tcp://127.0.0.1:1",
        "probe tcp://*:1",
        "listen tcp://192.0.2.1:9",
        "load tcp://127.0.0.1:1",
        "send /etc/hostname tcp://127.0.0.1:1",
        "receive tcp://192.0.2.1:9 /tmp",
        "log tcp://127.0.0.1:1 hello",
        "relay tcp://192.0.2.1:9 tcp://127.0.0.1:1",
        "impair tcp://192.0.2.1:9 tcp://127.0.0.1:1",
        "impair udp://192.0.2.1:9 udp://127.0.0.1:1",
        "bench models --seconds 1",
        "demo loss --plot x.gif",
        "options tcp://nosuch:",
    ];

    private static readonly string[] _values =
    [
        "", " ", "x", "-1", "0", "00", "1e3", "0x10", "1.5", ".", "-", "+5", "5q", "5 s", "½", "NaN", "infinite", "64k", "3g",
        "2147483648", "99999999999999999999", "\u001b[31m", "a\nb", "../x", "/", "=", "--", "@x",
    ];

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Every_value_of_every_option_ends_in_one_line(string verb)
    {
        string[] words = verb.Split(' ');
        string[] named = words[0] is "bench" or "demo" ? words[..2] : words[..1];
        string help = Doorbells.Run("native", "", [.. named, "--help"]).Output;
        (string Name, bool TakesValue)[] options =
        [
            .. OptionLine().Matches(help).Select(static line => (line.Groups["name"].Value, line.Groups["value"].Success))
                .Where(static option => option.Value is not ("--help" or "--version" or "--exec")),
        ];
        Assert.True(options.Length > (named.Length > 1 || words[0] == "options" ? 0 : 3), help);
        List<string> wrong = [];
        Parallel.ForEach(
            options.SelectMany(option => (option.TakesValue ? _values : ["", "maybe"]).Select(value => (option.Name, value))),
            new ParallelOptions { MaxDegreeOfParallelism = 4 },
            given =>
            {
                Ended ended = Doorbells.Run("native", "", [.. words, $"{given.Name}={given.value}"]);
                string[] lines = ended.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
                bool isClear = ended.ExitCode is 1 or 2 && lines.Length == 1 && lines[^1].StartsWith("doorbell: ", StringComparison.Ordinal)
                    && !WordsOfDotNet().IsMatch(ended.Error) && !ended.Error.Contains('\u001b')
                    && ended.Error.Length < 1500;
                if (!isClear)
                {
                    lock (wrong)
                    {
                        string said = PrintableText.Escape(ended.Error + ended.Output);
                        wrong.Add($"{given.Name}={PrintableText.Escape(given.value)}: exit code {ended.ExitCode}, {said}");
                    }
                }
            });
        Assert.True(wrong.Count == 0, $"{verb}\n{string.Join('\n', wrong)}");
    }

    [GeneratedRegex(@"^ +(?:-\w, )?(?<name>--[a-z0-9-]+)(?<value> <[^\n]*?>)?", RegexOptions.Multiline)]
    private static partial Regex OptionLine();

    [GeneratedRegex(@"System\.|Exception|\(Parameter|Unhandled|^ +at |Cannot parse|Int32|Nullable", RegexOptions.Multiline)]
    private static partial Regex WordsOfDotNet();
}
