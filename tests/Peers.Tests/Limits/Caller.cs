using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>A client of a server of streams: a plain blocking socket, so that the test decides every call.</summary>
internal sealed class Caller : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    private readonly Socket _socket;

    private Caller(Socket socket) => _socket = socket;

    public static Caller To(Endpoint endpoint) => TryTo(endpoint, _patience)
        ?? throw new TimeoutException($"{endpoint} took no connection");

    /// <summary>Connects; null if the server's machine lets nobody in for so long.</summary>
    public static Caller? TryTo(Endpoint endpoint, TimeSpan within)
    {
        Socket socket = endpoint.IsUnix
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        EndPoint address = endpoint.IsUnix
            ? new UnixDomainSocketEndPoint(endpoint.Path!)
            : new IPEndPoint(IPAddress.Loopback, endpoint.Port);
        socket.Blocking = false;
        long began = Stopwatch.GetTimestamp();
        bool isOpen = TryConnect(socket, address);
        while (!isOpen && Stopwatch.GetElapsedTime(began) < within)
        {
            // A unix socket whose backlog is full says EAGAIN, and is to be asked again.
            isOpen = endpoint.IsUnix ? TryConnect(socket, address) : socket.Poll(10_000, SelectMode.SelectWrite);
        }

        if (!isOpen)
        {
            socket.Dispose();
            return null;
        }

        socket.Blocking = true;
        socket.ReceiveTimeout = socket.SendTimeout = (int)_patience.TotalMilliseconds;
        if (socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error) is int and not 0)
        {
            socket.Dispose();
            return null;
        }

        return new Caller(socket);
    }

    public void Send(string text)
    {
        for (ReadOnlyMemory<byte> bytes = Encoding.ASCII.GetBytes(text); !bytes.IsEmpty;)
        {
            bytes = bytes[_socket.Send(bytes.Span)..];
        }
    }

    /// <summary>Sends what the way there takes, and reads nothing, until the connection is reset.</summary>
    public void SendWithoutReadingUntilReset()
    {
        _socket.Blocking = false;
        byte[] piece = new byte[16 * 1024];
        Array.Fill(piece, (byte)'\n');
        long began = Stopwatch.GetTimestamp();
        SocketError error = SocketError.Success;
        while (error is SocketError.Success or SocketError.WouldBlock)
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < _patience, "the connection is not reset");
            _socket.Poll(10_000, SelectMode.SelectWrite);
            _socket.Send(piece, SocketFlags.None, out error);
        }
    }

    /// <summary>Sends a line and receives one; what came, if the connection ends first.</summary>
    public string Ask(string line)
    {
        try
        {
            Send(line + "\n");
        }
        catch (SocketException gone) when (gone.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
        {
            return "";
        }

        return Receive(untilLine: true);
    }

    public string ReceiveLine() => Receive(untilLine: true);

    /// <summary>Whether nothing comes, and no end either, for so long.</summary>
    public bool IsSilentFor(TimeSpan time) => !_socket.Poll(time, SelectMode.SelectRead);

    /// <summary>All that comes up to the end or the reset.</summary>
    public string ReceiveToEnd() => Receive(untilLine: false);

    public void HalfClose() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>The same, if there is still a connection.</summary>
    public void TryHalfClose()
    {
        try
        {
            HalfClose();
        }
        catch (SocketException gone) when (gone.SocketErrorCode is SocketError.NotConnected or SocketError.ConnectionReset)
        {
            // Its end is read next.
        }
    }

    public void Reset() => _socket.Close(0);

    public void Dispose() => _socket.Dispose();

    private static bool TryConnect(Socket socket, EndPoint address)
    {
        try
        {
            socket.Connect(address);
            return true;
        }
        catch (SocketException later) when (later.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress
            or SocketError.TryAgain)
        {
            return false;
        }
    }

    private string Receive(bool untilLine)
    {
        StringBuilder all = new();
        byte[] buffer = new byte[64 * 1024];
        try
        {
            int count;
            while ((!untilLine || all.Length == 0 || all[^1] != '\n') && (count = _socket.Receive(buffer)) > 0)
            {
                all.Append(Encoding.ASCII.GetString(buffer, 0, count));
            }
        }
        catch (SocketException reset) when (reset.SocketErrorCode == SocketError.ConnectionReset)
        {
            // What came before it is not lost.
        }

        return all.ToString();
    }
}
