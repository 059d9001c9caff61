using System.Globalization;

namespace Doorbell;

/// <summary>
/// Who may connect to a unix socket: the mode, the owner and the group of its file (unix(7): to connect takes the right to write). A file
/// is never more open than this, not for a moment. An abstract name has no file, and nobody is kept from it.
/// </summary>
public sealed record SocketFileOptions
{
    /// <summary>Nothing is asked for: the process's umask decides, and the file is the process's user's.</summary>
    public static SocketFileOptions Default { get; } = new();

    /// <summary>The file's mode, as in 0660 of chmod(1), whatever the umask. Default null: what the umask leaves.</summary>
    public UnixFileMode? Mode { get; init; }

    /// <summary>Whose the file is: a user's name or number. Only root may give a file away (chown(2)). Linux. Default null: ours.</summary>
    public string? Owner { get; init; }

    /// <summary>The file's group: a name or number. It must be one of ours, unless we are root. Linux. Default null: ours.</summary>
    public string? Group { get; init; }

    internal static SocketFileOptions Private { get; } = new() { Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite };

    /// <summary>Reads a mode as chmod(1) takes it: 660 or 0660.</summary>
    /// <param name="text">Three octal digits, perhaps behind a zero.</param>
    /// <exception cref="FormatException">It is none.</exception>
    public static UnixFileMode ParseMode(string text)
    {
        string digits = text is ['0', _, _, _] ? text[1..] : text;
        return digits.Length == 3 && digits.All(static digit => digit is >= '0' and <= '7')
            ? (UnixFileMode)Convert.ToInt32(digits, 8)
            : throw new FormatException(
                $"a mode is three octal digits, for the owner, the group and others, as in 0660, not \"{PrintableText.Escape(text)}\"");
    }

    /// <summary>Refuses what can't be had at the endpoint.</summary>
    /// <exception cref="ArgumentException">It has no file, or the system has no such files.</exception>
    internal void Validate(Endpoint endpoint)
    {
        if (this == Default)
        {
            return;
        }

        if (!endpoint.IsUnix || endpoint.Path!.StartsWith('\0'))
        {
            throw new ArgumentException(string.Create(
                CultureInfo.InvariantCulture, $"SocketFile has no effect on {endpoint}: it is for the file of a unix socket"));
        }

        if (OperatingSystem.IsWindows() || ((Owner ?? Group) is not null && !OperatingSystem.IsLinux()))
        {
            throw new ArgumentException(
                $"SocketFile can't be set on this system: Linux has all of it, macOS has Mode alone, and {endpoint} is served here");
        }
    }
}
