namespace Doorbell.Cli.Arguments;

/// <summary>Reads what the options of TLS name, and words what is wrong with it.</summary>
internal static class TlsFile
{
    /// <summary>What a file has.</summary>
    /// <param name="option">The option that names it.</param>
    /// <param name="path">The file.</param>
    /// <param name="read">Reads it.</param>
    /// <exception cref="ArgumentException">It can't be read, or has something else.</exception>
    public static T Read<T>(string option, string path, Func<string, T> read)
    {
        try
        {
            return read(path);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            string why = wrong is FileNotFoundException or DirectoryNotFoundException ? "ENOENT (No such file or directory)"
                : wrong is UnauthorizedAccessException ? "EACCES (Permission denied)" : wrong.Message;
            throw new ArgumentException($"{option} {PrintableText.Escape(path)}: it can't be read: {why}", wrong);
        }
        catch (FormatException wrong)
        {
            throw new ArgumentException($"{option}: {wrong.Message}", wrong);
        }
    }

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
