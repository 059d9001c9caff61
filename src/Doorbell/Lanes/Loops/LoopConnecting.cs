using System.Net;
using Doorbell.Sessions;

namespace Doorbell.Lanes.Loops;

/// <summary>A connection that a handler of an event loop has asked for, until it is connected or has failed.</summary>
internal sealed class LoopConnecting(ConnectRequest request, LoopConnector connector, int token, TimeSpan begun) : Timed
{
    public ConnectRequest Request { get; } = request;

    public ConnectAttempts Attempts { get; } = new(request, begun);

    /// <summary>The token of its events.</summary>
    public int Token { get; } = token;

    /// <summary>The resolver is at it; null before and once its answer is taken.</summary>
    public Task<EndPoint[]>? Resolving { get; set; }

    /// <summary>The <see cref="ConnectAttempts.Number"/> whose descriptor the loop's epoll set watches; 0 for none.</summary>
    public int Watched { get; set; }

    /// <summary>Rings for its cancellation.</summary>
    public Bell CancelBell => field ??= new NewsBell(this, connector);

    private sealed class NewsBell(LoopConnecting connecting, LoopConnector connector) : Bell
    {
        public override void Ring() => connector.Post(connecting);
    }
}
