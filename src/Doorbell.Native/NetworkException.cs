using System.Net.Sockets;
using Doorbell.Native;

namespace Doorbell;

/// <summary>
/// An operation on an endpoint failed. <see cref="Exception.Message"/> is one line for people: what was tried, on which endpoint,
/// what the system answered (errno's name and text), and what to do about it.
/// </summary>
public class NetworkException : Exception
{
    internal NetworkException(
        string operation, string target, string what, SocketError error, string? advice = null, Exception? cause = null)
        : base($"{operation} {target}: {what}{(advice is null ? "" : $"; {advice}")}", cause)
    {
        Operation = operation;
        Target = target;
        Error = error;
        Advice = advice;
    }

    /// <summary>The call that failed, as its manual page names it: <c>bind</c>, <c>connect</c>, <c>send</c> …</summary>
    public string Operation { get; }

    /// <summary>The endpoint it was tried on, fit to print.</summary>
    public string Target { get; }

    /// <summary>What the system answered; <see cref="SocketError.TimedOut"/> for a deadline of ours.</summary>
    public SocketError Error { get; }

    /// <summary>Its name as errno(3) or getaddrinfo(3) has it, as in <c>EADDRINUSE</c>; null if it has none, or if it was
    /// no single answer of the system: a deadline of ours, or several addresses that each failed. It is the same on every system; the
    /// message has the system's own, which on Windows is <c>WSAEADDRINUSE</c>.</summary>
    public string? ErrnoName => Errno?.Name;

    /// <summary>Its text as strerror(3) has it, as in <c>Address already in use</c>; null where the name is.</summary>
    public string? ErrnoText => Errno?.Text;

    /// <summary>What to do about it; null where there is nothing to say.</summary>
    public string? Advice { get; }

    private Errno? Errno { get; init; }

    /// <summary>Words a failure of which only the error is known.</summary>
    /// <param name="operation">The call that failed, as its manual page names it: bind, connect, send …</param>
    /// <param name="target">The endpoint, fit to print.</param>
    /// <param name="error">What the system answered.</param>
    public static NetworkException From(string operation, string target, SocketError error) =>
        From(operation, target, new SocketException((int)error));

    /// <summary>Words a failure.</summary>
    /// <param name="operation">The call that failed, as its manual page names it: bind, connect, send …</param>
    /// <param name="target">The endpoint, fit to print.</param>
    /// <param name="failure">What was thrown: a SocketException, bare or wrapped, a TimeoutException, or any other.</param>
    public static NetworkException From(string operation, string target, Exception failure)
    {
        if (SocketFailureIn(failure) is not { } socket)
        {
            string what = PrintableText.Escape(failure.Message);
            return new NetworkException(operation, target, what, SocketError.SocketError, advice: null, failure);
        }

        SocketError error = socket.SocketErrorCode;
        if (error == SocketError.AddressNotAvailable && target.StartsWith("unix", StringComparison.Ordinal) && !OperatingSystem.IsWindows())
        {
            Errno missing = Native.Errno.NoSuchFile;
            string forPath = Native.Advice.ForMissingPath(operation);
            return new NetworkException(operation, target, missing.ToString(), error, forPath, failure) { Errno = missing };
        }

        string? advice = Native.Advice.For(operation, error, target);
        return new NetworkException(operation, target, Answer(socket), error, advice, failure) { Errno = Native.Errno.Of(socket) };
    }

    /// <summary>Words a failure of a call that was made without System.Net.Sockets.</summary>
    internal static NetworkException FromErrno(string operation, string target, int errno)
    {
        SocketError error = LinuxErrno.ToSocketError(errno);
        Errno? named = Native.Errno.Named(errno);
        string what = named?.ToString() ?? $"error {errno}";
        return new NetworkException(operation, target, what, error, Native.Advice.For(operation, error, target)) { Errno = named };
    }

    /// <summary>The system's answer alone: <c>ECONNREFUSED (Connection refused)</c>.</summary>
    internal static string Answer(SocketException failure) => Native.Errno.Of(failure) is { } errno
        ? errno.ToString()
        : failure.SocketErrorCode == SocketError.SocketError
            ? "an error that has no name here"
            : $"error {failure.NativeErrorCode} ({PrintableText.Escape(failure.Message)})";

    /// <summary>Words the refusal of a socket option, written NAME=VALUE.</summary>
    internal static NetworkException OfOption(string target, string setting, Errno errno, SocketError error, string? advice) =>
        new("setsockopt", target, $"{setting}: {errno}", error, advice) { Errno = errno };

    private static SocketException? SocketFailureIn(Exception? failure) => failure switch
    {
        null => null,
        SocketException socket => socket,
        TimeoutException => new SocketException((int)SocketError.TimedOut),
        _ => SocketFailureIn(failure.InnerException),
    };
}

/// <summary>Time ran out in the middle of a reply.</summary>
public sealed class IncompleteReplyException : NetworkException
{
    internal IncompleteReplyException(string operation, string target, string what, SocketError error, string? advice, byte[] reply)
        : base(operation, target, what, error, advice) => Reply = reply;

    /// <summary>What came of the reply; perhaps nothing.</summary>
    public IReadOnlyList<byte> Reply { get; }
}
