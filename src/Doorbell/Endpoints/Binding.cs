using System.Net;
using System.Net.Sockets;

namespace Doorbell;

/// <summary>Makes the sockets that an endpoint to serve stands for: made, bound, and listening if they are a stream's.</summary>
internal static class Binding
{
    /// <summary>When any port will do for several addresses, so many ports are tried that all of them may share.</summary>
    private const int MostPortsTried = 16;

    /// <summary>Binds all the addresses of <paramref name="endpoint"/>, or none.</summary>
    /// <exception cref="NetworkException">One of them can't be had.</exception>
    public static async Task<List<BoundSocket>> BindAsync(
        Endpoint endpoint, IReadOnlyList<SocketOptionSetting> options, CancellationToken cancellation)
    {
        if (endpoint.IsUnix)
        {
            return [UnixBinding.Bind(endpoint, options)];
        }

        if (endpoint.Host == "*")
        {
            return [BindEveryInterface(endpoint, options)];
        }

        IPAddress[] addresses = await Resolver.ResolveAsync(endpoint, cancellation).ConfigureAwait(false);
        bool optional = addresses.Length > 1 && addresses.All(IPAddress.IsLoopback);
        for (int tried = 1; ; tried++)
        {
            try
            {
                return BindAll(endpoint, addresses, optional, options);
            }
            catch (NetworkException taken) when (
                endpoint.Port == 0 && taken.Error == SocketError.AddressAlreadyInUse && tried < MostPortsTried)
            {
                // Another address has that port taken: ask the kernel for another port.
            }
        }
    }

    /// <summary>With <paramref name="optional"/>, a loopback address that this machine lacks is left out.</summary>
    private static List<BoundSocket> BindAll(
        Endpoint endpoint, IPAddress[] addresses, bool optional, IReadOnlyList<SocketOptionSetting> options)
    {
        List<BoundSocket> sockets = [];
        NetworkException? lacks = null;
        int port = endpoint.Port;
        try
        {
            foreach (IPAddress address in addresses.OrderBy(static address => address.AddressFamily))
            {
                try
                {
                    BoundSocket bound = Bind(endpoint.Transport, new IPEndPoint(address, port), dualStack: false, options);
                    port = bound.Door.Endpoint.Port;
                    sockets.Add(bound);
                }
                catch (NetworkException lacking) when (optional && Lacks(lacking.Error))
                {
                    lacks = lacking;
                }
            }

            return sockets.Count > 0 || lacks is null ? sockets : throw lacks;
        }
        catch
        {
            sockets.ForEach(static bound => bound.Socket.Dispose());
            throw;
        }
    }

    private static bool Lacks(SocketError error) => error is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported
        or SocketError.ProtocolFamilyNotSupported;

    private static BoundSocket BindEveryInterface(Endpoint endpoint, IReadOnlyList<SocketOptionSetting> options)
    {
        try
        {
            return Bind(endpoint.Transport, new IPEndPoint(IPAddress.IPv6Any, endpoint.Port), dualStack: true, options);
        }
        catch (NetworkException lacking) when (Lacks(lacking.Error))
        {
            return Bind(endpoint.Transport, new IPEndPoint(IPAddress.Any, endpoint.Port), dualStack: false, options);
        }
    }

    private static BoundSocket Bind(
        Transport transport, IPEndPoint address, bool dualStack, IReadOnlyList<SocketOptionSetting> options)
    {
        bool stream = transport == Transport.Tcp;
        string target = Uri(transport, address.Port, dualStack ? "*" : address.Address.ToString()).ToString();
        string operation = "socket";
        Socket? socket = null;
        try
        {
            // The protocol is the type's own either way. But told that it is TCP, Socket's bind sets SO_REUSEADDR unasked, against
            // whoever turned it off (dotnet/runtime, pal_networking.c, SystemNative_Bind). Here it is set in the open.
            socket = new Socket(
                address.AddressFamily, stream ? SocketType.Stream : SocketType.Dgram, stream ? ProtocolType.Unspecified : ProtocolType.Udp);
            operation = "setsockopt";
            SetOptionsBeforeBind(socket, stream, dualStack);
            ServerSocketOptions asked = new(socket, options, target);
            asked.BeforeBind();
            operation = "bind";
            socket.Bind(address);
            asked.BeforeListen();
            if (stream)
            {
                operation = "listen";
                socket.Listen();
            }

            int port = ((IPEndPoint)socket.LocalEndPoint!).Port;
            return asked.Bound(DoorOf(transport, address.Address, port, dualStack));
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

    private static void SetOptionsBeforeBind(Socket socket, bool stream, bool dualStack)
    {
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

    private static Door DoorOf(Transport transport, IPAddress address, int port, bool dualStack)
    {
        bool every = dualStack || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
        Reach reach = every ? Reach.EveryInterface : IPAddress.IsLoopback(address) ? Reach.ThisMachine : Reach.OneAddress;
        return new Door(Uri(transport, port, dualStack ? "*" : address.ToString()), reach);
    }

    private static Endpoint Uri(Transport transport, int port, string host) =>
        Endpoint.Parse($"{(transport == Transport.Tcp ? "tcp" : "udp")}://{(host.Contains(':') ? $"[{host}]" : host)}:{port}");
}
