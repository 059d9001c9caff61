namespace Doorbell.Native;

/// <summary>What the kernel knows of a TCP connection: struct tcp_info (linux/tcp.h), of Linux 4.19 and later.</summary>
/// <param name="SinceSent">Since data was sent last.</param>
/// <param name="SinceReceived">Since data was received last.</param>
/// <param name="BytesSent">Of data, those that wait to be sent included and repeats not.</param>
/// <param name="BytesReceived">Of data; the peer's FIN counts as one.</param>
/// <param name="State">As in TCP_ESTABLISHED, which is 1 (net/tcp_states.h).</param>
/// <param name="IsDelivered">All that was sent is acknowledged.</param>
internal readonly record struct TcpInfo(
    TimeSpan SinceSent, TimeSpan SinceReceived, long BytesSent, long BytesReceived, int State, bool IsDelivered)
{
    private const int FinWait1 = 4;
    private const int TimeWait = 6;
    private const int Closed = 7;
    private const int CloseWait = 8;
    private const int LastAck = 9;
    private const int Closing = 11;

    /// <summary>No segment goes either way any more: both sides have ended, or it was reset or timed out (TCP_CLOSE).</summary>
    public bool IsClosed => State == Closed;

    /// <summary>The state tells that the peer's FIN has come. In a closed connection it tells nothing.</summary>
    public bool HasPeersEnd => State is TimeWait or CloseWait or LastAck or Closing;

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
        int state = *info;
        uint unacknowledged = *(uint*)(info + 24);

        // Our FIN waits behind the data, and counts as one of its bytes.
        long end = waiting > 0 && state is FinWait1 or LastAck or Closing ? 1 : 0;
        return new TcpInfo(
            sent,
            received,
            *(long*)(info + 200) - *(long*)(info + 208) + waiting - end,
            *(long*)(info + 128),
            state,
            unacknowledged == 0 && waiting == 0);
    }
}
