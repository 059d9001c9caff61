namespace Doorbell;

/// <summary>The bounds of one connection. Sizes are bytes.</summary>
public sealed record StreamLimits
{
    /// <summary>The defaults.</summary>
    public static StreamLimits Default { get; } = new();

    /// <summary>Most bytes a handler may leave unconsumed, waiting for the rest of a message. Default 1 MiB.</summary>
    public int MaxMessageBytes { get; init; } = 1024 * 1024;

    /// <summary>
    /// With this much output pending the session takes no more input: back-pressure. A handler whose output does not answer its input,
    /// such as a tunnel, takes a mark that it never reaches, and bounds its output by itself. Default 64 KiB.
    /// </summary>
    public int OutputHighMark { get; init; } = 64 * 1024;

    /// <summary>
    /// Most output a handler may have pending; one that writes past it is ended. A longer answer is written piece by piece
    /// from <see cref="StreamHandler.OnFlushed"/>. Default 16 MiB.
    /// </summary>
    public int MaxPendingOutput { get; init; } = 16 * 1024 * 1024;

    /// <summary>
    /// A connection on which no byte moves for this long is closed (reset, if the peer leaves output untaken). Not counted
    /// while parked: then the handler works. Default 5 minutes; <see cref="Timeout.InfiniteTimeSpan"/> for never.
    /// </summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// A connection that has sent nothing yet is closed when so much time has passed since it was opened, or since it took a byte of ours:
    /// a client that only listens is not silent while there is something to hear. Behind layers it counts from the opening alone, and
    /// nothing but a byte for the handler ends it: a handshake, or a PROXY header, has to be over. Connections that we open are not
    /// counted. Default 1 minute; <see cref="Timeout.InfiniteTimeSpan"/> for never: then the idle timeout counts alone.
    /// </summary>
    public TimeSpan FirstByteTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// A connection whose layers are not open within this time is closed: a PROXY header, or a handshake, that does not come or comes too
    /// slowly. Counted from when the first of them begins. Default 30 seconds; <see cref="Timeout.InfiniteTimeSpan"/> for never.
    /// </summary>
    public TimeSpan OpeningTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A connection that has been open for this long is closed; what is pending is sent first, or reset at the idle timeout.
    /// Default <see cref="Timeout.InfiniteTimeSpan"/>.
    /// </summary>
    public TimeSpan MaxLifetime { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>
    /// Bytes a second. A message that arrives more slowly than this, from its first byte on, or output that the peer takes more
    /// slowly, ends the connection with a reset once it is <see cref="MinDataRateGrace"/> behind: the defence against peers that
    /// hold connections with a byte now and then (slow loris). Default 0, no minimum: a person may be typing.
    /// </summary>
    public int MinDataRate { get; init; }

    /// <summary>How far a message or an answer may be behind <see cref="MinDataRate"/>. Default 5 seconds.</summary>
    public TimeSpan MinDataRateGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long after our FIN a closing connection waits for the peer's, reading and dropping what it still sends: closing with
    /// unread input would send a reset that can destroy the reply on its way (RFC 2525 section 2.17). Default 2 seconds.
    /// </summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Most calls of a handler in one round of the lane; then the lane serves others first. Default 64.</summary>
    public int MaxStepsPerRound { get; init; } = 64;

    /// <summary>Refuses values that make no sense.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive, or a time-out neither positive nor infinite.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxMessageBytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(OutputHighMark);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxPendingOutput, OutputHighMark);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(MaxStepsPerRound);
        ArgumentOutOfRangeException.ThrowIfLessThan(CloseTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfNegative(MinDataRate);
        ArgumentOutOfRangeException.ThrowIfLessThan(MinDataRateGrace, TimeSpan.Zero);
        RefuseIfNotPositive(IdleTimeout, nameof(IdleTimeout));
        RefuseIfNotPositive(FirstByteTimeout, nameof(FirstByteTimeout));
        RefuseIfNotPositive(OpeningTimeout, nameof(OpeningTimeout));
        RefuseIfNotPositive(MaxLifetime, nameof(MaxLifetime));
    }

    private static void RefuseIfNotPositive(TimeSpan time, string name)
    {
        if (time != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(time, TimeSpan.Zero, name);
        }
    }
}
