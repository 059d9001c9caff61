using System.Net.Sockets;
using Doorbell.Lanes.Datagrams;
using Doorbell.Native;

namespace Doorbell.Lab.Impair.Datagrams;

/// <summary>On Linux: epoll(7), whose cost is that of the sockets that have something, and recvmmsg(2).</summary>
internal sealed class EpollArrivals : IArrivals
{
    private readonly Epoll _epoll = new();
    private readonly ReceiveBatch _batch = new(isUnix: false, ushort.MaxValue);

    public void Watch(Socket socket, int token) => _epoll.Watch(Descriptor(socket), Epoll.In, token);

    public void Forget(int token)
    {
        // A closed descriptor is forgotten by itself (epoll(7), question 6).
    }

    public int Wait(TimeSpan most) => _epoll.Wait((int)most.TotalMilliseconds);

    public int TokenOf(int index) => _epoll[index].Token;

    public int Receive(Socket socket, out SocketError error)
    {
        int count = _batch.Receive(Descriptor(socket));
        error = count >= 0 ? SocketError.Success : LinuxErrno.ToSocketError(LinuxErrno.Last);
        return Math.Max(count, 0);
    }

    public ReadOnlySpan<byte> BytesOf(int index) => _batch.BytesOf(index);

    public PeerAddress PeerOf(int index) => _batch[index].Peer;

    public void Dispose()
    {
        _epoll.Dispose();
        _batch.Dispose();
    }

    private static int Descriptor(Socket socket) => (int)socket.SafeHandle.DangerousGetHandle();
}
