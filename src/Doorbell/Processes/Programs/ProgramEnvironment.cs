using System.Net;

namespace Doorbell.Processes.Programs;

/// <summary>
/// What a program is told of its connection or datagram: PROTO, TCPREMOTEIP and their like as UCSPI has them
/// (cr.yp.to/proto/ucspi.txt), and ncat's NCAT_* names. Good for all peers of one local address.
/// </summary>
internal sealed class ProgramEnvironment
{
    private readonly string[] _same;
    private readonly string? _proto;

    /// <param name="door">Where the peers come in.</param>
    /// <param name="local">Which address of ours they asked; null for a unix socket's.</param>
    public ProgramEnvironment(Endpoint door, EndPoint? local)
    {
        string proto = door.Transport switch
        {
            Transport.Tcp => "TCP",
            Transport.Udp => "UDP",
            _ => "UNIX",
        };
        if (door.IsUnix || local is not IPEndPoint here)
        {
            string? path = door.Path is ['\0', .. string name] ? "@" + name : door.Path;
            _same = [$"PROTO={proto}", $"{proto}LOCALPATH={path}", $"NCAT_PROTO={proto}"];
            return;
        }

        PeerAddress own = PeerAddress.From(here);
        string localIP = AddressOf(own);
        _proto = proto;
        _same =
        [
            $"PROTO={proto}",
            $"{proto}LOCALIP={localIP}",
            $"{proto}LOCALPORT={own.Port}",
            $"NCAT_LOCAL_ADDR={localIP}",
            $"NCAT_LOCAL_PORT={own.Port}",
            $"NCAT_PROTO={proto}",
        ];
    }

    /// <summary>The variables for one peer.</summary>
    public string[] For(PeerAddress peer)
    {
        if (_proto is null)
        {
            return _same;
        }

        string address = AddressOf(peer);
        string port = peer.Port.ToString();
        return
        [
            .. _same,
            string.Concat(_proto, "REMOTEIP=", address),
            string.Concat(_proto, "REMOTEPORT=", port),
            string.Concat("NCAT_REMOTE_ADDR=", address),
            string.Concat("NCAT_REMOTE_PORT=", port),
        ];
    }

    private static string AddressOf(PeerAddress address) =>
        address.Kind is AddressKind.IPv4 or AddressKind.IPv6 ? address.ToIPEndPoint().Address.ToString() : "";
}
