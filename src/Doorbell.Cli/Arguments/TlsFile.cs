using Doorbell.Native;

namespace Doorbell.Cli.Arguments;

/// <summary>Reads what the options of TLS name, and words what is wrong with it.</summary>
internal static class TlsFile
{
    /// <summary>No file of certificates has more.</summary>
    private const int MaxBytes = 1024 * 1024;

    /// <summary>What a file has.</summary>
    /// <param name="option">The option that names it.</param>
    /// <param name="path">The file.</param>
    /// <param name="read">Reads it.</param>
    /// <exception cref="ArgumentException">It can't be read, or has something else.</exception>
    public static T Read<T>(string option, string path, Func<string, T> read)
    {
        Require(option, path);
        try
        {
            return read(path);
        }
        catch (Exception wrong) when (FileFailure.Is(wrong))
        {
            throw Unreadable(option, path, FileFailure.Why(wrong));
        }
        catch (FormatException wrong)
        {
            throw new ArgumentException($"{option}: {wrong.Message}", wrong);
        }
    }

    /// <summary>Refuses what has no end, or none that is near, before it is read.</summary>
    /// <param name="option">The option that names it.</param>
    /// <param name="path">The file; null for none.</param>
    /// <exception cref="ArgumentException">It is no regular file, or too large.</exception>
    public static void Require(string option, string? path)
    {
        string? why = path is null ? null : FileStatus.Of(path) switch
        {
            { IsFolder: true } => "EISDIR (Is a directory)",
            { IsRegular: false } => "it is no regular file",
            { Length: > MaxBytes } => "it has more than 1m bytes",
            _ => null,
        };
        if (why is not null)
        {
            throw Unreadable(option, path!, why);
        }
    }

    private static ArgumentException Unreadable(string option, string path, string why) =>
        new($"{option} {PrintableText.Escape(path)}: it can't be read: {why}");

    /// <summary>What a word says.</summary>
    /// <param name="option">The option whose value it is.</param>
    /// <param name="text">The word.</param>
    /// <param name="parse">Reads it.</param>
    /// <exception cref="ArgumentException">It says nothing of the kind.</exception>
    public static T Parsed<T>(string option, string text, Func<string, T> parse)
    {
        try
        {
            return parse(text);
        }
        catch (FormatException wrong)
        {
            throw new ArgumentException($"{option}: {wrong.Message}", wrong);
        }
    }
}
