using System.Net;
using Doorbell.Sessions;

namespace Doorbell.Lanes.Loops;

/// <summary>A connection that a handler of an event loop has asked for, until it is connected or has failed.</summary>
internal sealed class LoopConnecting(ConnectRequest request, LoopConnector connector, TimeSpan begun) : Timed
{
    public ConnectRequest Request { get; } = request;

    public ConnectAttempts Attempts { get; } = new(request, begun);

    /// <summary>The resolver is at it; null before and once its answer is taken.</summary>
    public Task<EndPoint[]>? Resolving { get; set; }

    /// <summary>The descriptor that the loop watches; -1 for none.</summary>
    public int Watched { get; set; } = -1;

    /// <summary>The <see cref="ConnectAttempts.Number"/> of the attempt that has this descriptor.</summary>
    public int WatchedAttempt { get; set; }

    /// <summary>Rings for its cancellation.</summary>
    public Bell CancelBell => field ??= new NewsBell(this, connector);

    public override void OnTimer(TimeSpan now) => connector.OnTimer(this, now);

    private sealed class NewsBell(LoopConnecting connecting, LoopConnector connector) : Bell
    {
        public override void Ring() => connector.Post(connecting);
    }
}
