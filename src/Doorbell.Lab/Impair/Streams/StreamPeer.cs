using System.Net.Sockets;

namespace Doorbell.Lab.Impair.Streams;

/// <summary>A client or the upstream, as one connection has it.</summary>
internal sealed class StreamPeer(Socket socket) : IDisposable
{
    private const int KeepAliveSeconds = 15;

    private volatile bool _hasEnd;

    public Socket Socket { get; } = socket;

    /// <summary>A send found it gone.</summary>
    public bool IsLost { get; private set; }

    /// <summary>How many bytes it sent, 0 at its end; null if it was reset.</summary>
    public async ValueTask<int?> ReceiveAsync(Memory<byte> buffer, CancellationToken over)
    {
        try
        {
            int count = await Socket.ReceiveAsync(buffer, over);
            return count == 0 && WasReset() ? null : count;
        }
        catch (SocketException)
        {
            return null;
        }
    }

    /// <summary>Whether all was taken.</summary>
    public async ValueTask<bool> SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken over)
    {
        try
        {
            while (!bytes.IsEmpty)
            {
                bytes = bytes[await Socket.SendAsync(bytes, over)..];
            }

            return true;
        }
        catch (SocketException)
        {
            IsLost = true;
            return false;
        }
    }

    /// <summary>Tells it the end; it may have gone.</summary>
    public void SendEnd()
    {
        _hasEnd = true;
        try
        {
            Socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            IsLost = true;
        }
    }

    /// <summary>From here on the kernel looks whether it is still there, though nothing is sent.</summary>
    public void LookAfter()
    {
        Socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        if (Socket.AddressFamily != AddressFamily.Unix)
        {
            Socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
        }
    }

    /// <summary>Whether the kernel knows that it has gone.</summary>
    public bool HasGone() => IsLost || (SocketError)(int)Socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)! != 0;

    /// <summary>Whether all that was sent to it has been acknowledged; where the system does not tell, yes.</summary>
    public bool HasAll()
    {
        // tcpi_unacked is at 24, tcpi_notsent_bytes at 144.
        byte[] info = TcpInfo();
        return IsLost || info.Length < 148 || (BitConverter.ToUInt32(info, 24) == 0 && BitConverter.ToUInt32(info, 144) == 0);
    }

    /// <summary>Closes it with a reset; a unix socket has none, and is closed.</summary>
    public void Reset()
    {
        Socket.LingerState = new LingerOption(enable: true, seconds: 0);
        Socket.Dispose();
    }

    public void Dispose() => Socket.Dispose();

    /// <summary>
    /// Behind a receive of nothing: of two calls under way the kernel tells one alone of a reset, and to the other, this one, it looks
    /// like an end. But a connection that was not ended by both is not closed (TCP_CLOSE, 7, as tcpi_state at 0).
    /// </summary>
    private bool WasReset()
    {
        const int Closed = 7;
        return IsLost || (!_hasEnd && TcpInfo() is [Closed, ..]);
    }

    /// <summary>struct tcp_info (linux/tcp.h); empty where there is none.</summary>
    private byte[] TcpInfo()
    {
        const int Tcp = 6;
        const int Info = 11;
        byte[] info = new byte[256];
        bool isKnown = OperatingSystem.IsLinux() && Socket.AddressFamily != AddressFamily.Unix;
        return isKnown ? info[..Socket.GetRawSocketOption(Tcp, Info, info)] : [];
    }
}
