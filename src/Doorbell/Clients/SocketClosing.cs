using System.Net.Sockets;

namespace Doorbell.Clients;

/// <summary>How a client closes a connection on which a receive may be under way.</summary>
internal static class SocketClosing
{
    /// <summary>
    /// Ends the connection by a FIN and closes the socket. While a receive is under way, Socket.Dispose alone resets the connection
    /// (dotnet/runtime, SafeSocketHandle.Unix.cs), and the server counts an error. After a shutdown of the sending side it does not.
    /// </summary>
    public static void InOrder(Socket socket)
    {
        EndSending(socket);
        socket.Dispose();
    }

    /// <summary>Tells the peer that no more is sent, if the connection is there still.</summary>
    public static void EndSending(Socket socket)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The connection is gone already.
        }
    }
}
