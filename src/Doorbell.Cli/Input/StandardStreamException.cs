using Doorbell.Native;

namespace Doorbell.Cli.Input;

/// <summary>Standard input can't be read, or standard output can't be written; the message says which, and is a whole line.</summary>
internal sealed class StandardStreamException : IOException
{
    private const int InputOutput = 5;
    private const int NoSpace = 28;
    private const int BrokenPipe = 32;

    // What Windows answers where nobody reads a pipe: ERROR_BROKEN_PIPE, ERROR_NO_DATA, ERROR_PIPE_NOT_CONNECTED.
    private const int WindowsBrokenPipe = unchecked((int)0x8007006D);
    private const int WindowsNoReader = unchecked((int)0x800700E8);
    private const int WindowsNotConnected = unchecked((int)0x800700E9);
    private const int MaxErrno = 4096;

    /// <param name="operation">What was tried, as in <c>write standard output</c>.</param>
    /// <param name="failure">Why it failed. For what has no exception of its own, .NET's HResult is errno.</param>
    public StandardStreamException(string operation, Exception failure)
        : base($"{operation}: {Reason(failure)}{Advice(failure)}", failure)
    {
    }

    /// <summary>Nothing was tried, since there is no such stream.</summary>
    public StandardStreamException(string message)
        : base(message)
    {
    }

    private static string Reason(Exception failure) => OperatingSystem.IsLinux() && failure.HResult is > 0 and < MaxErrno
        ? $"{Errno.OfLinux(failure.HResult).Name}: {Errno.OfLinux(failure.HResult).Text}"
        : PrintableText.Escape(failure.Message);

    private static string Advice(Exception failure) => failure.HResult switch
    {
        BrokenPipe or WindowsBrokenPipe or WindowsNoReader or WindowsNotConnected => "; whoever read it has gone",
        NoSpace => "; make room on the disk (`df` shows what is free), or write to another",
        InputOutput => "; the disk or the terminal has gone or is broken: `dmesg` may say more",
        _ => "",
    };
}
