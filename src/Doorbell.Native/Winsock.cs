using System.Net.Sockets;

namespace Doorbell.Native;

/// <summary>
/// Windows' names of the errors ("Windows Sockets Error Codes" in Microsoft's documentation): most are those of errno(3) with WSA before
/// them.
/// </summary>
internal static class Winsock
{
    /// <param name="error">The error.</param>
    /// <param name="posix">Its name on other systems.</param>
    public static string NameOf(SocketError error, string posix) => error switch
    {
        SocketError.WouldBlock => "WSAEWOULDBLOCK",
        SocketError.Shutdown => "WSAESHUTDOWN",
        SocketError.Disconnecting => "WSAEDISCON",
        SocketError.OperationAborted => "WSA_OPERATION_ABORTED",
        SocketError.HostNotFound => "WSAHOST_NOT_FOUND",
        SocketError.NoData => "WSANO_DATA",
        SocketError.NoRecovery => "WSANO_RECOVERY",
        SocketError.TryAgain => "WSATRY_AGAIN",
        _ => $"WSA{posix}",
    };
}
