namespace Doorbell;

/// <summary>What a handler wants to happen after a call to it.</summary>
public enum Next
{
    /// <summary>Carry on as before: a parked connection stays parked, a reading one goes on reading.</summary>
    Stay,

    /// <summary>Take more input. A parked connection reads again, and is offered what it had left unconsumed.</summary>
    More,

    /// <summary>
    /// Take no input until the handler says <see cref="More"/> (from <see cref="StreamHandler.OnRing"/> or
    /// <see cref="StreamHandler.OnAlarm"/>). Meanwhile bytes wait in the kernel and TCP slows the peer.
    /// </summary>
    Park,

    /// <summary>Send what is written, then half-close (a FIN, shutdown(2) with SHUT_WR), and go on reading.</summary>
    Finish,

    /// <summary>
    /// Send what is written, half-close, wait a bounded time for the peer's end so that the reply is not lost to a
    /// reset (RFC 1122 section 4.2.2.13), and close.
    /// </summary>
    Close,

    /// <summary>Drop what is written and reset the connection (a RST).</summary>
    Abort,
}

/// <summary>The answer of <see cref="StreamHandler.OnBytes"/>: how many bytes it consumed, and what comes next.</summary>
/// <param name="Consumed">Bytes taken from the front of the input; the rest is offered again together with what follows.</param>
/// <param name="Next">What the connection does now.</param>
public readonly record struct Step(int Consumed, Next Next)
{
    /// <summary>Took <paramref name="consumed"/> bytes and wants more; 0 means the input is not enough yet.</summary>
    public static Step More(int consumed) => new(consumed, Next.More);

    /// <summary>Took <paramref name="consumed"/> bytes and parks; see <see cref="Next.Park"/>.</summary>
    public static Step Park(int consumed) => new(consumed, Next.Park);

    /// <summary>Took <paramref name="consumed"/> bytes and half-closes; see <see cref="Next.Finish"/>.</summary>
    public static Step Finish(int consumed) => new(consumed, Next.Finish);

    /// <summary>Took <paramref name="consumed"/> bytes and closes; see <see cref="Next.Close"/>.</summary>
    public static Step Close(int consumed) => new(consumed, Next.Close);

    /// <summary>Resets the connection; see <see cref="Next.Abort"/>.</summary>
    public static Step Abort() => new(0, Next.Abort);
}
