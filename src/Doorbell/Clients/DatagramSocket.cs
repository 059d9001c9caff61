using System.Globalization;
using System.Net.Sockets;
using System.Net;
using Doorbell.Native;
using Doorbell.Sockets;

namespace Doorbell.Clients;

/// <summary>Makes a client's datagram socket.</summary>
internal static class DatagramSocket
{
    /// <summary>
    /// A datagram socket connected to one address: the kernel then passes only that peer's datagrams, and says when nobody
    /// listens there (udp(7)). For a group, or a broadcast address unless the options forbid it, it is bound and not connected, since the
    /// answers come from other addresses.
    /// </summary>
    /// <exception cref="SocketException">It can't be made; <paramref name="operation"/> says which call failed.</exception>
    /// <exception cref="NetworkException">The kernel refuses an option.</exception>
    public static Socket Connect(Endpoint endpoint, EndPoint address, ClientOptions options, ref string operation)
    {
        bool unix = address.AddressFamily == AddressFamily.Unix;
        Socket socket = new(address.AddressFamily, SocketType.Dgram, unix ? ProtocolType.Unspecified : ProtocolType.Udp);
        try
        {
            IPEndPoint? toMany = address is IPEndPoint ip && IsOfMany(ip, options) ? ip : null;
            if (toMany is not null && !MulticastGroup.Is(toMany.Address))
            {
                operation = "setsockopt";
                socket.EnableBroadcast = true;
            }

            if (toMany is not null && endpoint.Interface is > 0 and int networkInterface)
            {
                operation = "setsockopt";
                MulticastGroup.SendBy(socket, networkInterface);
            }

            options.BeforeConnect(socket, endpoint.ToString());
            if (unix)
            {
                operation = "bind";
                socket.Bind(new UnixEndPoint(OwnName()));
            }

            if (toMany is not null)
            {
                operation = "bind";
                if (!options.IsBound)
                {
                    bool is4 = toMany.AddressFamily == AddressFamily.InterNetwork;
                    socket.Bind(new IPEndPoint(is4 ? IPAddress.Any : IPAddress.IPv6Any, 0));
                }
            }
            else
            {
                operation = "connect";
                socket.Connect(address);
            }

            options.Connected(socket, endpoint.ToString());
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Whether what is sent to the address goes to many, who answer from addresses of their own.</summary>
    private static bool IsOfMany(IPEndPoint address, ClientOptions options) =>
        MulticastGroup.Is(address.Address) || (options.AllowsBroadcast && MulticastGroup.IsBroadcast(address));

    /// <summary>
    /// A unix datagram socket without a name gets no answers. Linux has abstract names, which leave no file behind (unix(7)).
    /// </summary>
    private static string OwnName()
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"doorbell-{Environment.ProcessId}-{Guid.NewGuid():N}");
        return OperatingSystem.IsLinux() ? "\0" + name : Path.Combine(Path.GetTempPath(), name);
    }
}
