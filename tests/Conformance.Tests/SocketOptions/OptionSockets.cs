using System.Net;
using System.Net.Sockets;
using Doorbell.SocketOptions;

namespace Doorbell.Tests;

/// <summary>Fresh sockets of each kind, and connections through a listener.</summary>
internal static class OptionSockets
{
    public static readonly SocketKinds[] Kinds =
    [
        SocketKinds.Tcp4, SocketKinds.Tcp6, SocketKinds.Udp4, SocketKinds.Udp6, SocketKinds.UnixStream, SocketKinds.UnixDatagram,
    ];

    public static Socket New(SocketKinds kind)
    {
        bool unix = (kind & SocketKinds.Unix) != 0;
        AddressFamily family = unix ? AddressFamily.Unix
            : (kind & SocketKinds.IPv4) != 0 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
        SocketType type = (kind & SocketKinds.Streams) != 0 ? SocketType.Stream : SocketType.Dgram;
        ProtocolType protocol = unix ? ProtocolType.Unspecified : type == SocketType.Stream ? ProtocolType.Tcp : ProtocolType.Udp;
        return new Socket(family, type, protocol);
    }

    /// <summary>What a connection that was accepted says of an option, if its listener had it set.</summary>
    public static (string? Listener, string? Accepted) AcrossAccept(SocketKinds kind, SocketOptionSetting setting)
    {
        using Socket listener = New(kind);
        listener.Bind(kind switch
        {
            SocketKinds.Tcp4 => new IPEndPoint(IPAddress.Loopback, 0),
            SocketKinds.Tcp6 => new IPEndPoint(IPAddress.IPv6Loopback, 0),
            _ => new UnixDomainSocketEndPoint("\0doorbell-test-" + Guid.NewGuid().ToString("N")),
        });
        setting.Apply(listener, "the listener");
        listener.Listen();
        using Socket client = New(kind);
        client.Connect(listener.LocalEndPoint!);

        // For TCP_DEFER_ACCEPT, and the connection is there for certain.
        client.Send("x"u8);
        using Socket accepted = listener.Accept();
        return (ValueOf(listener, setting.Option), ValueOf(accepted, setting.Option));
    }

    public static string? ValueOf(Socket socket, SocketOption option) =>
        SocketOptionCatalogue.Read(socket).SingleOrDefault(reading => reading.Option == option)?.Value;
}
