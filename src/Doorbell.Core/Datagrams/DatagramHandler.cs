using Doorbell.Sessions;

namespace Doorbell;

/// <summary>
/// A datagram protocol as a function of bytes: none, one or several answers to each datagram. One handler serves one socket, so
/// it needs no locks; what it keeps, it keeps for all peers of that socket.
/// </summary>
/// <remarks>A call must not block. An exception loses that datagram's answers and is counted; the socket goes on.</remarks>
public abstract class DatagramHandler
{
    /// <summary>A datagram has arrived.</summary>
    /// <param name="datagram">Valid during the call only.</param>
    /// <param name="turn">The moment and the answers.</param>
    public abstract void OnDatagram(Datagram datagram, DatagramTurn turn);

    /// <summary>The <see cref="DatagramTurn.Alarm"/> is due; it has been cleared.</summary>
    /// <param name="turn">The moment and the datagrams to send.</param>
    public virtual void OnAlarm(DatagramTurn turn)
    {
    }
}

/// <summary>A datagram received: its bytes and between whom it went.</summary>
public readonly ref struct Datagram
{
    private readonly ref readonly DatagramPath _path;

    /// <summary>A datagram.</summary>
    /// <param name="bytes">Lent for the call.</param>
    /// <param name="path">Lent for the call; where it came from is unproved, as addresses can be forged.</param>
    public Datagram(ReadOnlySpan<byte> bytes, ref readonly DatagramPath path)
    {
        Bytes = bytes;
        _path = ref path;
    }

    /// <summary>The whole datagram; may be empty. Valid during the call only.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Where it came from; unproved, as addresses can be forged.</summary>
    public PeerAddress From => _path.Peer;

    /// <summary>Which of our addresses it came to, without a port, if that is known: on Linux, where a socket has several.</summary>
    public PeerAddress To => _path.Local;
}
