using System.Net;
using System.Net.Sockets;
using Doorbell.Options;

namespace Doorbell.Sockets;

/// <summary>Makes and binds one TCP or UDP socket, whatever is spoken over it.</summary>
internal static class IPBinding
{
    /// <summary>The kernel caps a backlog in silence (listen(2)), so what no kernel allows is the most that this one does.</summary>
    public const int SystemsMaximum = int.MaxValue;

    /// <summary>Binds the socket of an address; that of a group's joins the group.</summary>
    /// <param name="transport">TCP or UDP.</param>
    /// <param name="address">Where.</param>
    /// <param name="dualStack">Whether an IPv6 socket takes IPv4 too.</param>
    /// <param name="options">How.</param>
    /// <param name="sharesPort">Whether other sockets of this server have the same port.</param>
    /// <param name="networkInterface">The interface to join a group on; 0 for the one that the routes choose.</param>
    /// <exception cref="NetworkException">It can't be had.</exception>
    public static DoorSocket Bind(
        Transport transport, IPEndPoint address, bool dualStack, ListenOptions options, bool sharesPort = false, int networkInterface = 0)
    {
        bool stream = transport == Transport.Tcp;
        bool isGroup = MulticastGroup.Is(address.Address);
        string target = DoorOf(transport, address.Address, address.Port, dualStack, networkInterface).Endpoint.ToString();
        RequireBindable(stream, isGroup, target);
        string operation = "socket";
        Socket? socket = null;
        try
        {
            // The protocol is the type's own either way. But told that it is TCP, Socket's bind sets SO_REUSEADDR unasked, against
            // whoever turned it off (dotnet/runtime, pal_networking.c, SystemNative_Bind). Here it is set in the open.
            socket = new Socket(
                address.AddressFamily, stream ? SocketType.Stream : SocketType.Dgram, stream ? ProtocolType.Unspecified : ProtocolType.Udp);
            operation = "setsockopt";
            SetOptionsBeforeBind(socket, stream, dualStack, sharesPort || options.ReusePort, target);
            SetDatagramOptionsBeforeBind(socket, address.Address, isGroup);
            ServerSocketOptions asked = new(socket, options.SocketOptions, target);
            asked.BeforeBind();
            operation = "bind";
            socket.Bind(isGroup ? MulticastGroup.BindingOf(address) : address);
            if (isGroup)
            {
                operation = "join";
                MulticastGroup.Join(socket, address.Address, networkInterface, target);
            }

            asked.BeforeListen();
            if (stream)
            {
                operation = "listen";
                socket.Listen(options.Backlog ?? SystemsMaximum);
            }

            int port = ((IPEndPoint)socket.LocalEndPoint!).Port;
            return asked.Bound(DoorOf(transport, address.Address, port, dualStack, networkInterface));
        }
        catch (SocketException failure)
        {
            socket?.Dispose();
            throw NetworkException.From(operation, target, failure);
        }
        catch (NetworkException)
        {
            socket?.Dispose();
            throw;
        }
    }

    private static void RequireBindable(bool stream, bool isGroup, string target)
    {
        if (stream && isGroup)
        {
            throw new NetworkException(
                "bind",
                target,
                "a multicast group has no connections",
                SocketError.OperationNotSupported,
                "serve datagrams there, as in udp://");
        }
    }

    private static void SetDatagramOptionsBeforeBind(Socket socket, IPAddress address, bool isGroup)
    {
        bool all = address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
        bool isOfAll = all && socket.SocketType == SocketType.Dgram;
        if (OperatingSystem.IsLinux() && isOfAll)
        {
            // The kernel notes which address was asked when a datagram comes, not when it is received.
            RawOptions.AskForLocalAddress(socket);
        }

        if (isGroup || isOfAll)
        {
            MulticastGroup.LimitToJoined(socket);
        }
    }

    /// <summary>The door of a socket that is bound to this address.</summary>
    public static Door DoorOf(Transport transport, IPAddress address, int port, bool dualStack, int networkInterface = 0)
    {
        bool every = dualStack || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
        Reach reach = every ? Reach.EveryInterface : IPAddress.IsLoopback(address) ? Reach.ThisMachine : Reach.OneAddress;
        bool isZoned = networkInterface != 0 && address.AddressFamily == AddressFamily.InterNetwork;
        string host = dualStack ? "*" : isZoned ? $"{address}%{networkInterface}" : address.ToString();
        return new Door(Uri(transport, port, host), reach);
    }

    /// <summary>IPV6_V6ONLY says whether a socket of every address is of both families (ipv6(7)): its name then says the same.</summary>
    public static Endpoint WithFamilies(Endpoint endpoint, ListenOptions options) =>
        (endpoint.Host, options.SocketOptions.LastOrDefault(static setting => setting.Option.Name == "IPV6_V6ONLY")?.Asked) switch
        {
            ("*", "1") => Uri(endpoint.Transport, endpoint.Port, "::").As(endpoint.Application),
            ("::", "0") => Uri(endpoint.Transport, endpoint.Port, "*").As(endpoint.Application),
            _ => endpoint,
        };

    private static void SetOptionsBeforeBind(Socket socket, bool stream, bool dualStack, bool sharesPort, string target)
    {
        if (sharesPort)
        {
            RawOptions.SetReusePort(socket, target);
        }

        if (socket.AddressFamily == AddressFamily.InterNetworkV6)
        {
            socket.DualMode = dualStack;
        }

        if (stream)
        {
            // A restart must not wait for TIME_WAIT (socket(7)). Socket's own ReuseAddress would set SO_REUSEPORT too, and let a
            // second server share the port in silence.
            RawOptions.SetReuseAddress(socket);

            // Inherited by the connections accepted on Linux; answers leave whole, so Nagle's algorithm could only delay them.
            socket.NoDelay = true;
        }
    }

    private static Endpoint Uri(Transport transport, int port, string host) =>
        Endpoint.Parse($"{(transport == Transport.Tcp ? "tcp" : "udp")}://{(host.Contains(':') ? $"[{host}]" : host)}:{port}");
}
