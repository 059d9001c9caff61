namespace Doorbell;

/// <summary>
/// A service at which everyone hears everyone: what one member sends, all others receive, as at <c>ncat --broker</c>. Bytes are passed on
/// as they come, without regard to lines, so that any protocol fits; what two members send at once may be mixed. What a member sends stays
/// in order. Nothing is kept for those who come later.
/// </summary>
public static class Broker
{
    /// <summary>
    /// A new broker. All connections of the service hear each other, at whatever endpoints of the server they came in; each call makes
    /// another broker.
    /// </summary>
    /// <remarks>
    /// A member who takes the bytes more slowly than they come makes nobody wait: with more than
    /// <see cref="StreamLimits.MaxPendingOutput"/> untaken it is reset, and counted as
    /// <see cref="CloseReason.PendingOutputExceeded"/>. A member who is silent is not closed for that
    /// (<see cref="StreamLimits.IdleTimeout"/> and <see cref="StreamLimits.FirstByteTimeout"/> are infinite). A member who ends its side is
    /// closed when it has been sent what the others said before.
    /// </remarks>
    public static Service New()
    {
        BrokerMembers members = new();
        return new Service("broker")
        {
            NewStreamHandler = _ => new BrokerMember(members),
            NeedsOneProcess = true,
            StreamLimits = StreamLimits.Default with
            {
                IdleTimeout = Timeout.InfiniteTimeSpan, FirstByteTimeout = Timeout.InfiniteTimeSpan,
            },
        };
    }
}
