using System.CommandLine;

namespace Doorbell.Cli.Arguments;

/// <summary>Which options stand on the command line: a default value is none that was given.</summary>
internal static class GivenOptions
{
    public static bool IsGiven(this ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>The first of these that was given; null if none was.</summary>
    public static Option? FirstGiven(this ParseResult parsed, IEnumerable<Option> options) => options.FirstOrDefault(parsed.IsGiven);
}
