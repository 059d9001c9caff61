namespace Doorbell;

/// <summary>
/// An event loop on epoll(7). Events are edge-triggered, so that a connection is registered once and never changed; received and sent is
/// by a call each.
/// </summary>
internal sealed class EpollLane : LoopLane
{
    private readonly byte[] _buffer = ReceiveBuffers.Take();

    public EpollLane(IReadOnlyList<BoundSocket> listeners, Listeners all, Serving serving, StopEvents stop)
        : base(listeners, all, serving, stop)
    {
    }

    public override Connection Make(in Accepted accepted, Bell bell) =>
        new PolledConnection(accepted, Serving, bell, Pool) { ReceivesToEnd = accepted.Door.IsUnix };

    protected override void DisposeOwn() => ReceiveBuffers.GiveBack(_buffer);

    protected override void EndAll()
    {
        // Nothing is under way between two calls.
    }

    protected override TimeSpan Wait(int milliseconds)
    {
        int count = Epoll.Wait(milliseconds);
        TimeSpan now = MonotonicClock.Now;
        for (int i = 0; i < count; i++)
        {
            (uint events, int token) = Epoll[i];
            if (token < 0)
            {
                Heed(token, now);
            }
            else if (Table[token] is { } open)
            {
                ((PolledConnection)open.Connection).Heed(events);
                Tell(open, News.OfTheSocket, now);
            }
        }

        return now;
    }

    protected override void BeginAccepting() => Acceptor.BeginWaiting();

    protected override void AcceptSome(TimeSpan now) => Acceptor.AcceptSome(now, IsDraining);

    protected override void Watch(LoopConnection connection) => Epoll.Watch(
        connection.Connection.Descriptor, Epoll.In | Epoll.Urgent | Epoll.Out | Epoll.PeerHangUp | Epoll.Edge, connection.Token);

    protected override Progress Advance(Connection connection, TimeSpan now) => ((PolledConnection)connection).Advance(_buffer, now);

    protected override void DrainAsked()
    {
        // Each has received what there was.
    }
}
