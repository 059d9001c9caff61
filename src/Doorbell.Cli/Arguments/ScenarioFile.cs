using System.Text;
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
    /// <exception cref="ArgumentException">It can't be read, or a line of it makes no sense.</exception>
    public static IReadOnlyList<ScenarioStep> Read(string? path, bool streams)
    {
        if (path is null)
        {
            return [];
        }

        if (path.Length == 0)
        {
            throw new ArgumentException("--scenario takes a file's name");
        }

        string name = PrintableText.Escape(path);
        try
        {
            using FileStream file = File.OpenRead(path);
            byte[] bytes = new byte[MaxBytes + 1];
            int length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length > MaxBytes
                ? throw new ArgumentException($"--scenario {name} has more than {MaxBytes} bytes")
                : Scenario.Parse(Encoding.UTF8.GetString(bytes, 0, length), name, new FaultWords(streams, ""));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new ArgumentException($"--scenario {name} can't be read: {PrintableText.Escape(failure.Message)}", failure);
        }
    }
}
