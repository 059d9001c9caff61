namespace Doorbell.Native;

/// <summary>What the kernel knows of a TCP connection: struct tcp_info (linux/tcp.h), of Linux 4.19 and later.</summary>
/// <param name="SinceSent">Since data was sent last.</param>
/// <param name="SinceReceived">Since data was received last.</param>
/// <param name="BytesSent">Of data, those that wait to be sent included and repeats not.</param>
/// <param name="BytesReceived">Of data; the peer's FIN counts as one.</param>
internal readonly record struct TcpInfo(TimeSpan SinceSent, TimeSpan SinceReceived, long BytesSent, long BytesReceived)
{
    /// <summary>Null for a socket that is no TCP connection, or of a kernel that tells less.</summary>
    public static unsafe TcpInfo? Of(int socket)
    {
        const int Tcp = 6;
        const int Info = 11;
        const int Bytes = 256;
        const int Needed = 216;
        byte* info = stackalloc byte[Bytes];
        int length = Bytes;
        if (Libc.getsockopt(socket, Tcp, Info, info, &length) != 0 || length < Needed)
        {
            return null;
        }

        TimeSpan sent = TimeSpan.FromMilliseconds(*(uint*)(info + 44));
        TimeSpan received = TimeSpan.FromMilliseconds(*(uint*)(info + 52));
        long waiting = *(uint*)(info + 144);
        return new TcpInfo(sent, received, *(long*)(info + 200) - *(long*)(info + 208) + waiting, *(long*)(info + 128));
    }
}
