namespace Doorbell.Lanes.Loops;

/// <summary>
/// How an event loop's lane sleeps, and how bytes move: all that epoll(7) and io_uring(7) do differently. One lane's own, and called on
/// its thread alone.
/// </summary>
/// <typeparam name="TConnection">What the backend has to know of a connection.</typeparam>
internal abstract class LaneBackend<TConnection> : IDisposable
    where TConnection : SocketConnection
{
    /// <summary>How many of its receive buffers somebody has not given back.</summary>
    public virtual int BuffersOut => 0;

    /// <summary>A connection, which owns its descriptor from here on.</summary>
    /// <exception cref="Exception">The making of the handler failed.</exception>
    public abstract TConnection Make(in AcceptedSocket accepted, LaneBell bell);

    /// <inheritdoc cref="Make(in AcceptedSocket, LaneBell)"/>
    public abstract TConnection Make(in ConnectedSocket connected, LaneBell bell);

    /// <summary>Hears of a connection from here on. Readable and writable are taken for granted at first.</summary>
    /// <exception cref="NetworkException">The system is short of memory.</exception>
    public abstract void Watch(LoopConnection<TConnection> connection);

    /// <summary>Does all for a connection that can be done now, within bounds.</summary>
    public abstract Progress Advance(TConnection connection, TimeSpan now);

    /// <summary>Closes a connection's descriptor, and ends its session. Does so once.</summary>
    public abstract void Close(TConnection connection);

    /// <summary>Sleeps at most so many milliseconds, -1 for ever, and dispatches all that has happened.</summary>
    /// <returns>The time after it slept.</returns>
    /// <exception cref="NetworkException">The system refuses to wait: the lane can't go on.</exception>
    public abstract TimeSpan Wait(int milliseconds);

    /// <exception cref="NetworkException">The system is short of memory.</exception>
    public abstract void BeginAccepting();

    /// <summary>Called once a round.</summary>
    public abstract void AcceptSome(TimeSpan now);

    /// <summary>
    /// The lane has failed. From here on the kernel does nothing more for it, and uses no memory of its connections, which are closed next.
    /// Does not throw.
    /// </summary>
    public abstract void EndAll();

    /// <summary>Does not throw: the lane may have failed.</summary>
    public abstract void Dispose();
}
