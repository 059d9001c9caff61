using Doorbell.Cli.Arguments;

namespace Doorbell.Cli.Printing;

/// <summary>How the command fails: one line to standard error, and an exit code.</summary>
internal static class Failure
{
    private const int NetworkCode = 1;
    private const int UsageCode = 2;
    private const int MaxLineLength = 1000;

    /// <summary>The network or a peer failed.</summary>
    public static int Network(string message)
    {
        Say(message);
        return NetworkCode;
    }

    /// <summary>The command was called wrongly.</summary>
    public static int Usage(string message)
    {
        Say(message);
        return UsageCode;
    }

    /// <summary>Says something on the side that scripts reading the output must not see, in the command's words.</summary>
    public static void Say(string message)
    {
        try
        {
            Console.Error.WriteLine($"doorbell: {Shortened(OptionNames.InWordsOfTheCommand(message).ReplaceLineEndings(" "))}");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Standard error is closed or full: the exit code alone says it.
        }
    }

    /// <summary>A word of the command line or of a file may have any length: its beginning and the end of the message say enough.</summary>
    private static string Shortened(string line) =>
        line.Length <= MaxLineLength ? line : $"{line[..(MaxLineLength / 2)]} … {line[^(MaxLineLength / 2)..]}";
}
