using System.Text;
using Doorbell.Cli.Arguments;
using Doorbell.Native;
using Microsoft.Win32.SafeHandles;

namespace Doorbell.Cli.Printing;

/// <summary>How the command fails: one line to standard error, and an exit code.</summary>
internal static class Failure
{
    private const int NetworkCode = 1;
    private const int UsageCode = 2;
    private const int StandardError = 2;
    private const int MaxLineLength = 1000;

    /// <summary>The network or a peer failed.</summary>
    public static int Network(string message)
    {
        Say(message);
        return NetworkCode;
    }

    /// <summary>The system refused something, and nobody knows better what was tried than the verb.</summary>
    /// <param name="what">Was tried.</param>
    /// <param name="failure">Of .NET.</param>
    public static int OfSystem(string what, Exception failure)
    {
        const int TooManyFiles = 24;
        string advice = failure.HResult == TooManyFiles ? "; raise `ulimit -n`, this process's limit of descriptors" : "";
        return Network($"{what}: {FileFailure.Why(failure)}{advice}");
    }

    /// <summary>There may be too little to start the thread that writes lines: written at once.</summary>
    public static int AtStart(string message)
    {
        try
        {
            using FileStream error = new(new SafeFileHandle(StandardError, ownsHandle: false), FileAccess.Write, bufferSize: 0);
            error.Write(Encoding.UTF8.GetBytes($"doorbell: {message}\n"));
        }
        catch (Exception unread) when (unread is IOException or UnauthorizedAccessException)
        {
            // Nobody reads it: the exit code alone says it.
        }

        return NetworkCode;
    }

    /// <summary>The command was called wrongly.</summary>
    public static int Usage(string message)
    {
        Say(message);
        return UsageCode;
    }

    /// <summary>A configuration file is wrong: what the message names are its keys, so no option stands for them.</summary>
    public static int Configuration(string message)
    {
        Write(message);
        _ = LineWriter.Error.Finish();
        return UsageCode;
    }

    /// <summary>
    /// Says something on the side that scripts reading the output must not see, in the command's words. If nobody takes it, it is given up
    /// after a second: the exit code alone says it then.
    /// </summary>
    public static void Say(string message)
    {
        Post(message);
        _ = LineWriter.Error.Finish();
    }

    /// <summary>As <see cref="Say"/>, without waiting: for who serves.</summary>
    public static void Post(string message) => Write(OptionNames.InWordsOfTheCommand(message));

    private static void Write(string message) => LineWriter.Error.Post($"doorbell: {Shortened(message.ReplaceLineEndings(" "))}");

    /// <summary>A word of the command line or of a file may have any length: its beginning and the end of the message say enough.</summary>
    private static string Shortened(string line) =>
        line.Length <= MaxLineLength ? line : $"{line[..(MaxLineLength / 2)]} … {line[^(MaxLineLength / 2)..]}";
}
