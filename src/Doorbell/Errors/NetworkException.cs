using System.Net.Sockets;

namespace Doorbell;

/// <summary>
/// An operation on an endpoint failed. <see cref="Exception.Message"/> is one line for people: what was tried, on which endpoint,
/// what the system answered (errno's name and text), and what to do about it.
/// </summary>
public class NetworkException : Exception
{
    internal NetworkException(string message, SocketError error, Exception? cause)
        : base(message, cause) => Error = error;

    /// <summary>What the system answered; <see cref="SocketError.TimedOut"/> for a deadline of ours.</summary>
    public SocketError Error { get; }

    internal static NetworkException From(string operation, string target, SocketError error) =>
        From(operation, target, new SocketException((int)error));

    /// <summary>Words a failure.</summary>
    /// <param name="operation">The call that failed, as its manual page names it: bind, connect, send …</param>
    /// <param name="target">The endpoint, fit to print.</param>
    /// <param name="failure">What was thrown.</param>
    public static NetworkException From(string operation, string target, Exception failure)
    {
        SocketException? socket = failure as SocketException ?? failure.InnerException as SocketException;
        if (socket is null)
        {
            return new NetworkException($"{operation} {target}: {PeerText.Escape(failure.Message)}", SocketError.SocketError, failure);
        }

        // A path that isn't there: Socket calls ENOENT "address not available", which no unix socket ever is.
        bool noPath = socket.SocketErrorCode == SocketError.AddressNotAvailable && target.StartsWith("unix", StringComparison.Ordinal);
        string? advice = noPath ? Advice.ForMissingPath(operation) : Advice.For(operation, socket.SocketErrorCode);
        string answer = noPath ? "ENOENT (No such file or directory)" : Answer(socket);
        string message = $"{operation} {target}: {answer}{(advice is null ? "" : $"; {advice}")}";
        return new NetworkException(message, socket.SocketErrorCode, failure);
    }

    /// <summary>The system's answer alone: <c>ECONNREFUSED (Connection refused)</c>.</summary>
    internal static string Answer(SocketException failure) => Errno.NameOf(failure) is { } name
        ? $"{name} ({failure.Message})"
        : $"{failure.SocketErrorCode} ({failure.Message})";
}

/// <summary>Time ran out in the middle of a reply.</summary>
public sealed class IncompleteReplyException : NetworkException
{
    internal IncompleteReplyException(string message, SocketError error, byte[] reply)
        : base(message, error, null) => Reply = reply;

    /// <summary>What came of the reply; perhaps nothing.</summary>
    public IReadOnlyList<byte> Reply { get; }
}
