using Doorbell.Native;
using Doorbell.Serving;

namespace Doorbell.Lanes.Loops;

/// <summary>
/// Event loops on epoll(7). Events are edge-triggered, so that a connection is registered once and never changed; received and sent is
/// by a call each. Those that are ready together are served together: first all receive, then all sessions are told, then all go on, so
/// that one after the other runs the same code of the kernel and of ours, and finds it in the processor's caches.
/// </summary>
internal sealed class EpollBackend : LaneBackend<PolledConnection>
{
    private const int MaxTogether = 32;

    /// <summary>A line of the cache more than a piece: all pieces at the same place of a page would share few of its lines.</summary>
    private const int PieceStride = PolledConnection.LittleBytes + 64;

    private readonly LoopLane<PolledConnection> _lane;
    private readonly EventLoop _loop;
    private readonly ReceiveBuffer _buffer = ReceiveBuffers.Take();
    private readonly LoopConnection<PolledConnection>[] _ready = new LoopConnection<PolledConnection>[MaxTogether];
    private readonly int[] _received = new int[MaxTogether];
    private readonly (uint Events, int Token)[] _others = new (uint, int)[MaxTogether];

    private EpollBackend(LoopLane<PolledConnection> lane)
    {
        _lane = lane;
        _loop = lane.Loop;
    }

    /// <summary>A lane on epoll: see <see cref="LoopLane{TConnection}"/>.</summary>
    /// <exception cref="NetworkException">The system refuses what the lane needs.</exception>
    public static LoopLane<PolledConnection> NewLane(
        SharedSockets listeners, ServerContext context, ShutdownEvents shutdown, Func<TimeSpan, TimeSpan>? eachRound = null) =>
        new(listeners, context, shutdown, static lane => new EpollBackend(lane)) { EachRound = eachRound };

    public override PolledConnection Make(in AcceptedSocket accepted, LaneBell bell) =>
        new(accepted, _lane.Context, bell, _lane.Pool) { ReceivesToEnd = accepted.Door.IsUnix };

    public override PolledConnection Make(in ConnectedSocket connected, LaneBell bell) =>
        new(connected, _lane.Context, bell, _lane.Pool) { ReceivesToEnd = connected.Request.Endpoint.IsUnix };

    public override void Watch(LoopConnection<PolledConnection> connection) => _loop.WatchByToken(
        connection.Connection.Descriptor, Epoll.In | Epoll.Urgent | Epoll.Out | Epoll.PeerHangUp | Epoll.Edge, connection.Token);

    public override Progress Advance(PolledConnection connection, TimeSpan now) => connection.Advance(_buffer, now);

    public override void Close(PolledConnection connection) => connection.Close();

    public override TimeSpan Wait(int milliseconds)
    {
        int count = _loop.Poll(milliseconds);
        TimeSpan now = MonotonicClock.Now;
        for (int first = 0; first < count; first += MaxTogether)
        {
            int others = 0;
            int ready = 0;
            for (int i = first; i < Math.Min(first + MaxTogether, count); i++)
            {
                (uint events, int token) = _loop[i];
                if (token < 0)
                {
                    _others[others++] = (events, token);
                }
                else if (_lane.Table[token] is { } open)
                {
                    open.Connection.OnEvents(events);
                    _ready[ready++] = open;
                }
            }

            Serve(ready, now);
            for (int i = 0; i < others; i++)
            {
                _loop.Dispatch(_others[i].Events, _others[i].Token, now);
            }
        }

        return now;
    }

    public override void BeginAccepting() => _lane.Acceptor.BeginWaiting();

    public override void AcceptSome(TimeSpan now) => _lane.Acceptor.AcceptSome(now);

    public override void EndAll()
    {
        // Nothing is under way between two calls.
    }

    public override void Dispose() => ReceiveBuffers.Return(_buffer);

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
                _lane.Dispatch(_ready[i], News.Socket, now);
            }
        }
    }

    private Span<byte> Piece(int number) => _buffer.Piece(number * PieceStride, PolledConnection.LittleBytes);

    /// <summary>How many bytes came; 0 also if it is left to <see cref="Advance"/>.</summary>
    private int Receive(LoopConnection<PolledConnection> open, Span<byte> piece, TimeSpan now)
    {
        try
        {
            return open.Connection.ReceiveLittle(piece, now);
        }
        catch (Exception fault)
        {
            _lane.Drop(open, fault);
            return 0;
        }
    }

    private void DispatchReceived(LoopConnection<PolledConnection> open, ReadOnlySpan<byte> bytes, TimeSpan now)
    {
        try
        {
            open.Connection.Session.Received(bytes, now);
        }
        catch (Exception fault)
        {
            _lane.Drop(open, fault);
        }
    }
}
