using System.Net.Sockets;

namespace Doorbell.Native;

/// <summary>
/// Why something could not be done with a file, as errno(3) names it. .NET's own words have the whole path once more, and no name that
/// can be looked up.
/// </summary>
internal static class FileFailure
{
    private const int NameTooLong = 36;
    private const int TooLarge = 27;
    private const int AccessDenied = 13;
    private const int MaxErrno = 4096;

    /// <summary>One line, as in <c>ENOENT (No such file or directory)</c>; .NET's words, escaped, where the system has no errno.</summary>
    public static string Why(Exception failure) => Named(failure)?.ToString()
        ?? PrintableText.Escape(failure.Message.Split(" (Parameter '")[0]);

    /// <summary>Whether it is a failure of a file, as .NET tells them.</summary>
    public static bool Is(Exception failure) => failure is IOException or UnauthorizedAccessException || IsTooLarge(failure);

    /// <summary>Whether another process, or another part of this one, has the file for itself.</summary>
    public static bool IsInUse(Exception failure)
    {
        const int TryAgain = 11;
        const int SharingViolation = unchecked((int)0x80070020);
        return failure is IOException && failure.HResult == (OperatingSystem.IsWindows() ? SharingViolation : TryAgain);
    }

    /// <summary>For EFBIG (write(2)) .NET says that an argument is out of range.</summary>
    private static bool IsTooLarge(Exception failure) => failure is ArgumentOutOfRangeException { ParamName: "value" };

    /// <summary>For what has no exception of its own, .NET's HResult is errno.</summary>
    private static Errno? Named(Exception failure) => failure switch
    {
        FileNotFoundException or DirectoryNotFoundException => Errno.NoSuchFile,
        PathTooLongException => Errno.Named(NameTooLong),
        UnauthorizedAccessException { InnerException: { } inner } => Named(inner),
        UnauthorizedAccessException => Errno.Named(AccessDenied),
        SocketException socket => Errno.Of(socket),
        _ when IsTooLarge(failure) => Errno.Named(TooLarge),
        _ when OperatingSystem.IsLinux() && failure.HResult is > 0 and < MaxErrno => Errno.OfLinux(failure.HResult),
        _ => null,
    };
}
