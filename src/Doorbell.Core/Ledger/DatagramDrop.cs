namespace Doorbell;

/// <summary>Why a datagram was lost on this side.</summary>
public enum DatagramDrop
{
    /// <summary>An answer larger than a datagram can be (<see cref="DatagramLimits.MaxDatagramBytes"/>).</summary>
    AnswerTooLarge,

    /// <summary>
    /// An answer that would send an unproved source more than <see cref="DatagramLimits.MaxAmplification"/> times its bytes.
    /// </summary>
    Amplification,

    /// <summary>More answers in one turn than <see cref="DatagramLimits.MaxAnswersPerTurn"/>.</summary>
    TooManyAnswers,

    /// <summary>
    /// A datagram received that was larger than <see cref="DatagramLimits.MaxDatagramBytes"/>: not handled, as its end is missing.
    /// </summary>
    Truncated,

    /// <summary>The kernel refused to send an answer (ENOBUFS, EHOSTUNREACH, the peer's socket is gone …).</summary>
    SendFailed,

    /// <summary>
    /// Datagrams that the kernel dropped unseen since the socket's receive buffer (SO_RCVBUF) was full, as Linux counts them
    /// (SO_RXQ_OVFL, socket(7)): those that a sender joined by UDP_SEGMENT as one. Rare others, such as bad checksums, are among them.
    /// </summary>
    ReceiveBufferFull,

    /// <summary>A datagram received from an address that its door denies (<see cref="AccessList"/>): not handled.</summary>
    Denied,

    /// <summary>
    /// An answer that was not given since the datagram's source port is 0, or one where everything is answered: echo, daytime, quotation
    /// of the day, character generator, time. Such a source is forged, so that two servers answer each other for ever.
    /// </summary>
    ReflectorPort,

    /// <summary>An answer that was not given since the datagram's source is this socket's own address and port, so forged.</summary>
    OwnAddress,

    /// <summary>
    /// An answer that was left out so that no datagram goes round for ever between two servers that answer each other
    /// (<see cref="DatagramLimits.LoopGuardAnswers"/>).
    /// </summary>
    SuspectedLoop,
}
