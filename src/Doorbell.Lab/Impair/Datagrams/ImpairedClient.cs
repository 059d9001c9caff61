using System.Net;
using System.Net.Sockets;
using Doorbell.Native;

namespace Doorbell.Lab.Impair.Datagrams;

/// <summary>A client of the proxy, with a socket of its own to the upstream: so an answer's way back is known.</summary>
/// <param name="door">The socket it sends to.</param>
/// <param name="address">Its own; kept.</param>
/// <param name="upstream">Connected to the upstream; closed with this.</param>
/// <param name="token">By which its socket is waited for.</param>
/// <param name="buffer">The socket's receive buffer.</param>
/// <param name="number">Which client it is, counted from 0.</param>
internal sealed class ImpairedClient(Socket door, PeerAddress address, Socket upstream, int token, ReceiveBuffer buffer, long number)
{
    public Socket Door { get; } = door;

    public PeerAddress Address { get; } = address;

    /// <summary>The same, as the door sends to it.</summary>
    public SocketAddress RawAddress { get; } = Raw(door, address);

    public int Token { get; } = token;

    public long Number { get; } = number;

    public Socket Upstream { get; } = upstream;

    public ReceiveBuffer Buffer { get; } = buffer;

    /// <summary>When a datagram last came from it or for it, or the table last found some waiting.</summary>
    public TimeSpan LastUsed { get; set; }

    /// <summary>Datagrams that wait for their time, either way.</summary>
    public int Waiting { get; set; }

    /// <summary>Its socket is closed.</summary>
    public bool IsForgotten { get; private set; }

    public void Forget()
    {
        IsForgotten = true;
        Upstream.Dispose();
    }

    private static SocketAddress Raw(Socket door, PeerAddress address)
    {
        SocketAddress raw = new(door.AddressFamily);
        SocketAddressCodec.Write(address, door.AddressFamily, raw);
        return raw;
    }
}
