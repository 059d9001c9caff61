using System.Text.RegularExpressions;
using Doorbell.Tests.Documents;

namespace Doorbell.Tests;

/// <summary>What the command says of itself, and that the examples in it do what they say.</summary>
public sealed partial class HelpTests
{
    /// <summary>The longest example measures for a minute or two.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(4);

    /// <summary>Whom the examples of a verb talk to. A verb that serves takes these very ports.</summary>
    private static readonly Dictionary<string, string[]> _beside = new()
    {
        ["serve"] = [],
        ["demo"] = [],
        ["bench"] = [],
        ["send"] = ["doorbell receive --keep tcp://localhost:7000"],
        ["receive"] = [],
        ["log"] = ["doorbell serve syslog udp://localhost:514 tcp://localhost:514"],
        ["others"] = ["doorbell serve", "doorbell serve coap://localhost"],
    };

    /// <summary>As the overview lists them.</summary>
    public static TheoryData<string> Verbs => [.. VerbsOf("")];

    public static TheoryData<string> Examples => [.. VerbsOf("").SelectMany(ExamplesOf)];

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Every_verb_has_examples_of_its_own(string verb)
    {
        string[] examples = ExamplesOf(verb);
        Assert.NotEmpty(examples);
        Assert.All(examples, line => Assert.Contains($"doorbell {verb}", line, StringComparison.Ordinal));
        foreach (string within in VerbsOf(verb))
        {
            Assert.Contains(examples, line => $"{line} ".Contains($"doorbell {verb} {within} ", StringComparison.Ordinal));
            string help = Help(verb, within, "--help");
            Assert.Contains($"  doorbell {verb} {within}", help, StringComparison.Ordinal);
            Assert.All(Lines(help), line => Assert.StartsWith($"doorbell {verb} {within}", line, StringComparison.Ordinal));
        }
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void Every_example_does_what_it_says(string line)
    {
        string verb = VerbOf().Match(line).Groups["verb"].Value;
        using Reader reader = new();
        foreach (string server in _beside.GetValueOrDefault(verb, _beside["others"]))
        {
            reader.Types(server);
        }

        // The bench gives up on a machine that does much else, and says so.
        reader.TypesWithoutInput(line, _patience, orSays: "bench models: not done after");
        reader.EndsServers();
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void Help_and_a_verb_is_the_verbs_own_help(string verb)
    {
        Assert.Equal(Help(verb, "--help"), Help("help", verb));
        foreach (string within in VerbsOf(verb))
        {
            Assert.Equal(Help(verb, within, "--help"), Help("help", verb, within));
        }
    }

    [Fact]
    public void Help_alone_is_the_overview() => Assert.Equal(Help("--help"), Help("help"));

    [Fact]
    public void The_version_is_told_in_each_way_that_people_try()
    {
        string version = Help("--version");
        Assert.Matches(@"^[0-9]+\.[0-9]+\.[0-9]+", version);
        Assert.Equal(version, Help("-V"));
        Assert.Equal(version, Help("version"));
    }

    [Theory]
    [InlineData("tcp", "tcp://*:0")]
    [InlineData("udp", "udp://*:0")]
    [InlineData("unix", "unix:///run/door")]
    [InlineData("unix+dgram", "unix+dgram:///run/door")]
    public void Options_takes_the_short_word_of_a_kind_of_socket(string kind, string endpoint) =>
        Assert.Equal(OptionNames(Help("options", endpoint)), OptionNames(Help("options", kind)));

    private static string Help(params string[] arguments)
    {
        Ended ended = Doorbells.Run("native", "", arguments);
        Assert.Equal((0, ""), (ended.ExitCode, ended.Error));
        return ended.Output;
    }

    private static string[] ExamplesOf(string verb) => Lines(Help(verb, "--help"));

    /// <summary>Behind "Examples:", each with what it does below it, further to the right.</summary>
    private static string[] Lines(string help) => help.Split("Examples:\n") is [_, var examples]
        ? [.. ExampleLine().Matches(examples).Select(static line => line.Groups[1].Value)]
        : [];

    private static string[] VerbsOf(string verb)
    {
        string help = Help([.. verb.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);
        return help.Split("Commands:\n") is [_, var verbs]
            ? [.. VerbLine().Matches(verbs.Split("Examples:")[0]).Select(static line => line.Groups[1].Value)]
            : [];
    }

    [GeneratedRegex(@"^  (\S.*)$", RegexOptions.Multiline)]
    private static partial Regex ExampleLine();

    /// <summary>The levels, and the names in each. Some values are others for each socket, as SO_COOKIE is.</summary>
    private static string[] OptionNames(string list) => [.. LevelOrName().Matches(list).Select(static line => line.Value)];

    [GeneratedRegex(@"^(\S.*|  \S+)", RegexOptions.Multiline)]
    private static partial Regex LevelOrName();

    [GeneratedRegex(@"^  ([a-z-]+) ", RegexOptions.Multiline)]
    private static partial Regex VerbLine();

    [GeneratedRegex(@"\bdoorbell (?<verb>[a-z-]+)")]
    private static partial Regex VerbOf();
}
