namespace Doorbell.Native;

/// <summary>What the kernel knows of a TCP connection: struct tcp_info (linux/tcp.h), of Linux 4.19 and later.</summary>
/// <param name="SinceSent">Since data was sent last.</param>
/// <param name="SinceReceived">Since data was received last.</param>
/// <param name="BytesSent">Of data, those that wait to be sent included and repeats not.</param>
/// <param name="BytesReceived">Of data; the peer's FIN counts as one.</param>
/// <param name="IsClosed">The connection is over: reset, timed out, or ended by both sides (TCP_CLOSE).</param>
/// <param name="IsDelivered">All that was sent is acknowledged.</param>
internal readonly record struct TcpInfo(
    TimeSpan SinceSent, TimeSpan SinceReceived, long BytesSent, long BytesReceived, bool IsClosed, bool IsDelivered)
{
    /// <summary>Null for a socket that is no TCP connection, or of a kernel that tells less.</summary>
    public static unsafe TcpInfo? Of(int socket)
    {
        const int Tcp = 6;
        const int Info = 11;
        const int Bytes = 256;
        const int Needed = 216;
        const byte Closed = 7;
        byte* info = stackalloc byte[Bytes];
        int length = Bytes;
        if (Libc.getsockopt(socket, Tcp, Info, info, &length) != 0 || length < Needed)
        {
            return null;
        }

        TimeSpan sent = TimeSpan.FromMilliseconds(*(uint*)(info + 44));
        TimeSpan received = TimeSpan.FromMilliseconds(*(uint*)(info + 52));
        long waiting = *(uint*)(info + 144);
        uint unacknowledged = *(uint*)(info + 24);
        return new TcpInfo(
            sent,
            received,
            *(long*)(info + 200) - *(long*)(info + 208) + waiting,
            *(long*)(info + 128),
            info[0] == Closed,
            unacknowledged == 0 && waiting == 0);
    }
}
