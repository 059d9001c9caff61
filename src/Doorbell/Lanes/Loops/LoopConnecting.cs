using System.Net;
using Doorbell.Serving;
using Doorbell.Sessions;

namespace Doorbell.Lanes.Loops;

/// <summary>A connection that a handler of an event loop has asked for, until it is connected or has failed.</summary>
/// <param name="request">What was asked for.</param>
/// <param name="begun">When.</param>
/// <param name="descriptors">Where it waits for one.</param>
/// <param name="due">Called on the loop's thread when the timer has come.</param>
/// <param name="cancelled">Called on any thread when the handler gives up.</param>
internal sealed class LoopConnecting(
    ConnectRequest request,
    TimeSpan begun,
    DescriptorReserve descriptors,
    Action<LoopConnecting, TimeSpan> due,
    Action<LoopConnecting> cancelled) : Timed
{
    public ConnectRequest Request { get; } = request;

    public ConnectAttempts Attempts { get; } = new(request, begun, descriptors);

    /// <summary>The resolver is at it; null before and once its answer is taken.</summary>
    public Task<EndPoint[]>? Resolving { get; set; }

    /// <summary>The descriptor that the loop watches; -1 for none.</summary>
    public int Watched { get; set; } = -1;

    /// <summary>The <see cref="ConnectAttempts.Number"/> of the attempt that has this descriptor.</summary>
    public int WatchedAttempt { get; set; }

    /// <summary>Rings for its cancellation.</summary>
    public Bell CancelBell => field ??= new NewsBell(this, cancelled);

    public override void OnTimer(TimeSpan now) => due(this, now);

    private sealed class NewsBell(LoopConnecting connecting, Action<LoopConnecting> cancelled) : Bell
    {
        public override void Ring() => cancelled(connecting);
    }
}
