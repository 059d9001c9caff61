using System.Net;

namespace Doorbell;

/// <summary>
/// What a program is told of its connection or datagram: PROTO, TCPREMOTEIP and their like as UCSPI has them
/// (cr.yp.to/proto/ucspi.txt), and ncat's NCAT_* names.
/// </summary>
internal static class ProgramEnvironment
{
    public static string[] Of(Endpoint door, PeerAddress peer, EndPoint? local)
    {
        string proto = door.Transport switch
        {
            Transport.Tcp => "TCP",
            Transport.Udp => "UDP",
            _ => "UNIX",
        };
        if (door.IsUnix || local is not IPEndPoint here)
        {
            return [$"PROTO={proto}", $"{proto}LOCALPATH={door.Path}", $"NCAT_PROTO={proto}"];
        }

        PeerAddress own = PeerAddress.From(here);
        string remoteIP = AddressOf(peer);
        string localIP = AddressOf(own);
        return
        [
            $"PROTO={proto}",
            $"{proto}REMOTEIP={remoteIP}",
            $"{proto}REMOTEPORT={peer.Port}",
            $"{proto}LOCALIP={localIP}",
            $"{proto}LOCALPORT={own.Port}",
            $"NCAT_REMOTE_ADDR={remoteIP}",
            $"NCAT_REMOTE_PORT={peer.Port}",
            $"NCAT_LOCAL_ADDR={localIP}",
            $"NCAT_LOCAL_PORT={own.Port}",
            $"NCAT_PROTO={proto}",
        ];
    }

    private static string AddressOf(PeerAddress address) =>
        address.Kind is AddressKind.IPv4 or AddressKind.IPv6 ? address.ToIPEndPoint().Address.ToString() : "";
}
