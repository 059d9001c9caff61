using Doorbell.Sessions;

namespace Doorbell;

/// <summary>
/// A datagram protocol as a function of bytes: none, one or several answers to each datagram, and datagrams that nobody asked for. Only
/// <see cref="OnDatagram"/> is required. One handler serves one socket; what it keeps, it keeps for all peers of that socket.
/// </summary>
/// <remarks>
/// Exactly one lane calls a handler, one call at a time, though not always on the same thread: a handler needs no locks. A call must not
/// block. An exception loses the datagrams of that turn that are not yet sent with <see cref="DatagramTurn.Reply()"/> or
/// <see cref="DatagramTurn.SendTo(PeerAddress)"/>, and is counted; the socket goes on.
/// </remarks>
public abstract class DatagramHandler
{
    /// <summary>
    /// Whether nothing is half done. Asked while the server drains, when no datagram waits in the kernel: an idle socket is closed, another
    /// one goes on until it is idle or until the drain's deadline. By default true.
    /// </summary>
    public virtual bool IsIdle => true;

    /// <summary>
    /// The socket is open. Called once, before all other calls. Here a handler takes its <see cref="DatagramTurn.Bell"/>, sets its first
    /// alarm, or sends first.
    /// </summary>
    /// <param name="turn">The moment, the socket's address and the datagrams to send.</param>
    public virtual void OnOpen(DatagramTurn turn)
    {
    }

    /// <summary>A datagram has arrived.</summary>
    /// <param name="datagram">Valid during the call only.</param>
    /// <param name="turn">The moment and the answers.</param>
    public abstract void OnDatagram(Datagram datagram, DatagramTurn turn);

    /// <summary>The <see cref="DatagramTurn.Alarm"/> is due; it has been cleared.</summary>
    /// <param name="turn">The moment and the datagrams to send.</param>
    public virtual void OnAlarm(DatagramTurn turn)
    {
    }

    /// <summary>
    /// The <see cref="DatagramTurn.Bell"/> was rung. A ring is a hint: several rings may arrive as one, and one may arrive for what is
    /// already done, so the handler looks itself at what there is to do.
    /// </summary>
    /// <param name="turn">The moment and the datagrams to send.</param>
    public virtual void OnRing(DatagramTurn turn)
    {
    }

    /// <summary>
    /// Only on a socket that is connected to one peer: a datagram sent earlier did not reach the peer, since the peer's host says that
    /// nobody listens there (ICMP port unreachable, which udp(7) reports as ECONNREFUSED), or the system refused to send it. Which of
    /// several datagrams it was is unknown (RFC 1122 section 4.1.3.3). The state of the network at one moment: the next may arrive.
    /// </summary>
    /// <param name="peer">The peer that the socket is connected to.</param>
    /// <param name="turn">The moment and the datagrams to send.</param>
    public virtual void OnUnreachable(PeerAddress peer, DatagramTurn turn)
    {
    }

    /// <summary>
    /// The server drains. Datagrams that wait in the kernel are still handed over after this call, then the socket is closed as soon as the
    /// handler <see cref="IsIdle"/>.
    /// </summary>
    /// <param name="turn">The moment and the datagrams to send.</param>
    public virtual void OnDrain(DatagramTurn turn)
    {
    }

    /// <summary>
    /// The socket is closed. Called once, always, last. For a socket that could not be opened
    /// (<see cref="DatagramTurn.TryOpenDatagrams(DatagramHandler)"/>) it is the only call, with <see cref="CloseReason.TransportFailed"/>.
    /// </summary>
    /// <param name="reason">Why the socket is closed.</param>
    public virtual void OnClosed(CloseReason reason)
    {
    }
}

/// <summary>A datagram received: its bytes and between whom it went.</summary>
public readonly ref struct Datagram
{
    private readonly ref readonly DatagramPath _path;

    /// <summary>A datagram.</summary>
    /// <param name="bytes">Lent for the call.</param>
    /// <param name="path">Lent for the call. The sender's address is unproved, as addresses can be forged.</param>
    public Datagram(ReadOnlySpan<byte> bytes, ref readonly DatagramPath path)
    {
        Bytes = bytes;
        _path = ref path;
    }

    /// <summary>The whole datagram; may be empty. Valid during the call only.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>The sender's address; unproved, as addresses can be forged.</summary>
    public PeerAddress From => _path.Peer;

    /// <summary>Which of our addresses it came to, without a port, if that is known: on Linux, where a socket has several.</summary>
    public PeerAddress To => _path.Local;
}
