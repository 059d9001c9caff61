using System.Net.Sockets;
using Doorbell.Lanes.Datagrams;
using Doorbell.Serving;
using Microsoft.Extensions.Logging;

namespace Doorbell.Lanes.Portable;

/// <summary>A datagram socket for an <see cref="AsyncDatagramLane"/>, and what the lane needs beside it.</summary>
/// <param name="Socket">Bound, or connected to <see cref="Peer"/>; the lane's from here on.</param>
/// <param name="Endpoint">Names the socket in logs and errors.</param>
/// <param name="Limits">The service's limits.</param>
/// <param name="Ledger">Where to count.</param>
/// <param name="Shutdown">When to drain and when to abort.</param>
/// <param name="Log">Where to say what goes wrong.</param>
internal sealed record AsyncDatagramSocket(
    Socket Socket, Endpoint Endpoint, DatagramLimits Limits, Ledger Ledger, Shutdown Shutdown, ILogger Log)
{
    /// <summary>The one peer that the socket is connected to; none if it is not connected.</summary>
    public PeerAddress Peer { get; init; }

    /// <summary>Whether the handler may close the socket: it is not a server's door.</summary>
    public bool MayClose { get; init; }

    /// <summary>Whether a peer's datagram is taken, and if not counts it; all are, unless it is a server's door.</summary>
    public Func<PeerAddress, bool> Admits { get; init; } = static _ => true;

    /// <summary>Counts what the kernel drops at a full receive buffer; null if nobody does.</summary>
    public OverflowCount? Overflow { get; init; }

    /// <summary>Closes the socket; a server's door is closed by the engine.</summary>
    public Action Release { get; init; } = Socket.Dispose;

    /// <summary>Of a connected socket: is told why the peer can't be reached, before the handler is.</summary>
    public Action<SocketException>? Unreachable { get; init; }
}
