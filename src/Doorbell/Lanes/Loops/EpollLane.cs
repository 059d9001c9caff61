using Doorbell.Native;
using Doorbell.Serving;
using Doorbell.Sockets;

namespace Doorbell.Lanes.Loops;

/// <summary>
/// An event loop on epoll(7). Events are edge-triggered, so that a connection is registered once and never changed; received and sent is
/// by a call each. Those that are ready together are served together: first all receive, then all sessions are told, then all go on, so
/// that one after the other runs the same code of the kernel and of ours, and finds it in the processor's caches.
/// </summary>
internal sealed class EpollLane : LoopLane
{
    private const int MaxTogether = 32;

    /// <summary>A line of the cache more than a piece: all pieces at the same place of a page would share few of its lines.</summary>
    private const int PieceStride = PolledConnection.LittleBytes + 64;

    private readonly byte[] _buffer = ReceiveBuffers.Take();
    private readonly LoopConnection[] _ready = new LoopConnection[MaxTogether];
    private readonly int[] _received = new int[MaxTogether];
    private readonly int[] _others = new int[MaxTogether];

    public EpollLane(IReadOnlyList<DoorSocket> listeners, SharedListeners all, ServerContext context, ShutdownEvents shutdown)
        : base(listeners, all, context, shutdown)
    {
    }

    public override SocketConnection Make(in AcceptedSocket accepted, LaneBell bell) =>
        new PolledConnection(accepted, Context, bell, Pool) { ReceivesToEnd = accepted.Door.IsUnix };

    public override SocketConnection Make(in ConnectedSocket connected, LaneBell bell) =>
        new PolledConnection(connected, Context, bell, Pool) { ReceivesToEnd = connected.Request.Endpoint.IsUnix };

    protected override void DisposeOwn() => ReceiveBuffers.Return(_buffer);

    protected override void EndAll()
    {
        // Nothing is under way between two calls.
    }

    protected override TimeSpan Wait(int milliseconds)
    {
        int count = Epoll.Wait(milliseconds);
        TimeSpan now = MonotonicClock.Now;
        for (int first = 0; first < count; first += MaxTogether)
        {
            int others = 0;
            int ready = 0;
            for (int i = first; i < Math.Min(first + MaxTogether, count); i++)
            {
                (uint events, int token) = Epoll[i];
                if (token < 0)
                {
                    _others[others++] = i;
                }
                else if (Table[token] is { } open)
                {
                    ((PolledConnection)open.Connection).OnEvents(events);
                    _ready[ready++] = open;
                }
            }

            Serve(ready, now);
            for (int i = 0; i < others; i++)
            {
                (uint events, int token) = Epoll[_others[i]];
                OnEvents(events, token, now);
            }
        }

        return now;
    }

    protected override void BeginAccepting() => Acceptor.BeginWaiting();

    protected override void AcceptSome(TimeSpan now) => Acceptor.AcceptSome(now, AcceptsLast);

    protected override void Watch(LoopConnection connection) => Epoll.Watch(
        connection.Connection.Descriptor, Epoll.In | Epoll.Urgent | Epoll.Out | Epoll.PeerHangUp | Epoll.Edge, connection.Token);

    protected override void WatchConnected(LoopConnection connection) => Epoll.Change(
        connection.Connection.Descriptor, Epoll.In | Epoll.Urgent | Epoll.Out | Epoll.PeerHangUp | Epoll.Edge, connection.Token);

    protected override Progress Advance(SocketConnection connection, TimeSpan now) => ((PolledConnection)connection).Advance(_buffer, now);

    protected override void DrainAsked()
    {
        // Each has received what there was.
    }

    private void Serve(int count, TimeSpan now)
    {
        for (int i = 0; i < count; i++)
        {
            _received[i] = Receive(_ready[i], Piece(i), now);
        }

        for (int i = 0; i < count; i++)
        {
            if (_received[i] > 0)
            {
                DispatchReceived(_ready[i], Piece(i)[.._received[i]], now);
            }
        }

        for (int i = 0; i < count; i++)
        {
            if (!_ready[i].Over)
            {
                Dispatch(_ready[i], News.Socket, now);
            }
        }
    }

    private Span<byte> Piece(int number) => _buffer.AsSpan(number * PieceStride, PolledConnection.LittleBytes);

    /// <summary>How many bytes came; 0 also if it is left to <see cref="Advance"/>.</summary>
    private int Receive(LoopConnection open, Span<byte> piece, TimeSpan now)
    {
        try
        {
            return ((PolledConnection)open.Connection).ReceiveLittle(piece, now);
        }
        catch (Exception fault)
        {
            Drop(open, fault);
            return 0;
        }
    }

    private void DispatchReceived(LoopConnection open, ReadOnlySpan<byte> bytes, TimeSpan now)
    {
        try
        {
            open.Connection.Session.Received(bytes, now);
        }
        catch (Exception fault)
        {
            Drop(open, fault);
        }
    }
}
