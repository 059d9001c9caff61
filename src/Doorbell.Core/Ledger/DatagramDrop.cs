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
}
