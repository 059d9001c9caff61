using System.Net.Sockets;

namespace Doorbell.Clients;

/// <summary>Why a question has no answer.</summary>
/// <param name="target">Who was asked.</param>
internal sealed class MessageErrors(string target)
{
    public NetworkException GivenUp() => new(
        "receive",
        target,
        "the connection was given up, since an earlier question on it was: whose answer comes next could not be told",
        SocketError.ConnectionAborted,
        "ask again");

    public NetworkException Unasked(string shown) => new(
        "receive",
        target,
        $"\"{shown}\" had come before the question was sent, so it is no answer to it",
        SocketError.ProtocolNotSupported,
        "set MessageClientOptions.ReadsGreeting if the server speaks first; otherwise it "
            + "answered an earlier question with more than one message");

    public NetworkException NoReply() => new(
        "receive",
        target,
        "the server closed the connection without a reply",
        SocketError.Disconnecting,
        "it may take one question a connection, or have stopped");

    public NetworkException CutOff(long received) => new(
        "receive",
        target,
        $"the server closed the connection in the middle of a reply, after {received} bytes of it",
        SocketError.Disconnecting,
        "look at its log");

    /// <summary>The connection has failed; the first failure counts, and one that its layers know of says more.</summary>
    public NetworkException Ended(Socket socket, SocketException? sending, SocketException receiving) =>
        socket is LayeredSocket { Failure: { } why } ? new NetworkException("receive", target, why, receiving.SocketErrorCode)
        : NetworkException.From(sending is null ? "receive" : "send", target, sending ?? receiving);
}
