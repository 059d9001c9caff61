using Doorbell.Lab.Impair.Faults;
using Doorbell.Lab.Impair.Scenarios;

namespace Doorbell.Cli.Arguments;

/// <summary>The file of <c>impair --scenario</c>.</summary>
internal static class ScenarioFile
{
    private const int MaxBytes = 1024 * 1024;

    /// <summary>Reads it.</summary>
    /// <param name="path">The file; null for none.</param>
    /// <param name="streams">Whether streams are carried.</param>
    /// <exception cref="ConfigurationException">It can't be read.</exception>
    /// <exception cref="ArgumentException">A line of it makes no sense.</exception>
    public static IReadOnlyList<ScenarioStep> Read(string? path, bool streams)
    {
        if (path is null)
        {
            return [];
        }

        string text = BoundedFile.ReadText(path, MaxBytes, "a scenario");
        return Scenario.Parse(text, PrintableText.Escape(path), new FaultWords(streams, ""));
    }
}
