using System.Net.Sockets;

namespace Doorbell;

/// <summary>
/// An operation on an endpoint failed. <see cref="Exception.Message"/> is one line for people: what was tried, on which endpoint,
/// what the system answered (errno's name and text), and what to do about it.
/// </summary>
public sealed class NetworkException : Exception
{
    internal NetworkException(string message, SocketError error, Exception? cause)
        : base(message, cause) => Error = error;

    /// <summary>What the system answered; <see cref="SocketError.TimedOut"/> for a deadline of ours.</summary>
    public SocketError Error { get; }

    internal static NetworkException From(string operation, string target, SocketError error) =>
        From(operation, target, new SocketException((int)error));

    internal static NetworkException From(string operation, string target, Exception failure)
    {
        SocketException? socket = failure as SocketException ?? failure.InnerException as SocketException;
        if (socket is null)
        {
            return new NetworkException($"{operation} {target}: {PeerText.Escape(failure.Message)}", SocketError.SocketError, failure);
        }

        string? advice = Advice.For(operation, socket.SocketErrorCode);
        string message = $"{operation} {target}: {Answer(socket)}{(advice is null ? "" : $"; {advice}")}";
        return new NetworkException(message, socket.SocketErrorCode, failure);
    }

    /// <summary>The system's answer alone: <c>ECONNREFUSED (Connection refused)</c>.</summary>
    internal static string Answer(SocketException failure) => Errno.NameOf(failure) is { } name
        ? $"{name} ({failure.Message})"
        : $"{failure.SocketErrorCode} ({failure.Message})";
}
