using Doorbell.Cli.Arguments;

namespace Doorbell.Cli.Printing;

/// <summary>How the command fails: one line to standard error, and an exit code.</summary>
internal static class Failure
{
    private const int NetworkCode = 1;
    private const int UsageCode = 2;

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
            Console.Error.WriteLine($"doorbell: {OptionNames.InWordsOfTheCommand(message).ReplaceLineEndings(" ")}");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Standard error is closed or full: the exit code alone says it.
        }
    }
}
