using System.Net.Sockets;
using Doorbell.Lanes;
using Doorbell.Lanes.Datagrams;
using Doorbell.Native;
using Doorbell.Serving;

namespace Doorbell.Lab.Impair.Datagrams;

/// <summary>
/// On Linux: the event loop that servers run on, whose cost is that of the sockets that have something, and recvmmsg(2).
/// </summary>
internal sealed class EpollArrivals : IArrivals, IEventLoopUser
{
    /// <summary>A sleep counts in milliseconds, rounded up: so much before the time is waited for awake.</summary>
    private static readonly TimeSpan _awake = TimeSpan.FromMilliseconds(1);

    private readonly Shutdown _shutdown = new();
    private readonly ShutdownEvents _events;
    private readonly EventLoop _loop;
    private readonly ReceiveBatch _batch = new(isUnix: false, ushort.MaxValue);
    private Action<int> _ready = null!;
    private Func<TimeSpan, TimeSpan> _round = null!;

    /// <exception cref="NetworkException">No descriptor or no memory is left.</exception>
    public EpollArrivals()
    {
        _events = new ShutdownEvents(_shutdown);
        _loop = new EventLoop(_events);
    }

    public void Watch(Socket socket, int token) => _loop.WatchByToken(Descriptor(socket), Epoll.In, token);

    public void Forget(int token)
    {
        // A closed descriptor is forgotten by itself (epoll(7), question 6).
    }

    public void Run(Action<int> ready, Func<TimeSpan, TimeSpan> round, CancellationToken stop)
    {
        _ready = ready;
        _round = round;
        using CancellationTokenRegistration stopping = stop.UnsafeRegister(static shutdown => ((Shutdown)shutdown!).Abort(), _shutdown);
        _loop.Run(this, Wait);
    }

    public int Receive(Socket socket, out SocketError error)
    {
        int count = _batch.Receive(Descriptor(socket));
        error = count >= 0 ? SocketError.Success : LinuxErrno.ToSocketError(LinuxErrno.Last);
        return Math.Max(count, 0);
    }

    public ReadOnlySpan<byte> BytesOf(int index) => _batch.BytesOf(index);

    public PeerAddress PeerOf(int index) => _batch[index].Peer;

    public uint? DropsOf(Socket socket) => LibcMessages.DropsOf(Descriptor(socket));

    public void Dispose()
    {
        _loop.Dispose();
        _events.Dispose();
        _shutdown.Dispose();
        _batch.Dispose();
    }

    void IEventLoopUser.OnShutdown(TimeSpan now) => _loop.Stop();

    TimeSpan IEventLoopUser.OnRound(TimeSpan now)
    {
        TimeSpan next = _round(now);
        return next == TimeSpan.MaxValue ? next : next - now > _awake ? next - _awake : TimeSpan.Zero;
    }

    private static int Descriptor(Socket socket) => (int)socket.SafeHandle.DangerousGetHandle();

    private TimeSpan Wait(int milliseconds)
    {
        int count = _loop.Poll(milliseconds);
        TimeSpan now = MonotonicClock.Now;
        for (int i = 0; i < count; i++)
        {
            (uint events, int token) = _loop[i];
            if (token < 0)
            {
                _loop.Dispatch(events, token, now);
            }
            else
            {
                _ready(token);
            }
        }

        return now;
    }
}
