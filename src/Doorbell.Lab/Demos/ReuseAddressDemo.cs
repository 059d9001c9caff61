using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Doorbell.SocketOptions;

namespace Doorbell.Lab.Demos;

/// <summary>
/// A server that closes a connection first keeps its port busy in TIME_WAIT (RFC 9293 section 3.6.1): what a restart then does without
/// SO_REUSEADDR, with it, and what SO_REUSEPORT does instead (socket(7), ip(7)). Linux.
/// </summary>
public static class ReuseAddressDemo
{
    /// <summary>How many clients connect to two servers that share a port.</summary>
    public const int Connections = 200;

    private const string TimeWait = "TIME_WAIT";

    /// <summary>A server ends with a connection that it closed first; the next one binds its port.</summary>
    /// <param name="option">What both servers set before bind, as in <c>SO_REUSEADDR=1</c>.</param>
    /// <exception cref="SocketException">The system refuses a socket.</exception>
    public static RestartResult Restart(string option)
    {
        bool keepsTimeWait = true;
        int port = End(option, whole: true, out Socket[] held);
        if (StateOf(port) != TimeWait)
        {
            keepsTimeWait = false;
            port = End(option, whole: false, out held);
        }

        RestartResult result = new(port, keepsTimeWait, StateOf(port), Listens(option, port));
        Array.ForEach(held, static socket => socket.Dispose());
        return result;
    }

    /// <summary>Two servers at once on one port.</summary>
    /// <param name="option">What both set before bind, as in <c>SO_REUSEPORT=1</c>.</param>
    /// <exception cref="SocketException">The system refuses a socket.</exception>
    public static SharingResult Share(string option)
    {
        using Socket first = Bound(option, 0);
        first.Listen(Connections);
        int port = ((IPEndPoint)first.LocalEndPoint!).Port;
        NetworkException? refused = Listens(option, port, out Socket? second);
        using (second)
        {
            return second is null ? new SharingResult(refused, 0, 0) : Spread(port, first, second);
        }
    }

    /// <summary>
    /// A server's end: it closes its one connection first, then its listener. If not <paramref name="whole"/>, the client leaves its
    /// side open.
    /// </summary>
    /// <returns>The port, with what keeps it busy.</returns>
    private static int End(string option, bool whole, out Socket[] held)
    {
        using Socket old = Bound(option, 0);
        old.Listen(1);
        int port = ((IPEndPoint)old.LocalEndPoint!).Port;
        Socket client = Connected(port);
        Socket connection = old.Accept();
        connection.Shutdown(SocketShutdown.Send);
        client.Receive(new byte[1]);
        held = [client, connection];
        if (whole)
        {
            client.Shutdown(SocketShutdown.Send);
            connection.Receive(new byte[1]);
            Array.ForEach(held, static socket => socket.Dispose());
            held = [];
        }

        return port;
    }

    private static SharingResult Spread(int port, Socket first, Socket second)
    {
        List<Socket> clients = [.. Enumerable.Range(0, Connections).Select(_ => Connected(port))];
        SharingResult result = new(null, Accepted(first), Accepted(second));
        clients.ForEach(static client => client.Dispose());
        return result;
    }

    private static int Accepted(Socket listener)
    {
        int count = 0;
        while (listener.Poll(0, SelectMode.SelectRead))
        {
            listener.Accept().Dispose();
            count++;
        }

        return count;
    }

    private static NetworkException? Listens(string option, int port)
    {
        NetworkException? refused = Listens(option, port, out Socket? socket);
        socket?.Dispose();
        return refused;
    }

    private static NetworkException? Listens(string option, int port, out Socket? socket)
    {
        Socket? made = null;
        try
        {
            made = Bound(option, port);
            made.Listen(Connections);
            socket = made;
            return null;
        }
        catch (SocketException failure)
        {
            made?.Dispose();
            socket = null;
            return NetworkException.From("bind", "127.0.0.1", failure.SocketErrorCode);
        }
    }

    private static Socket Bound(string option, int port)
    {
        // Told TCP by name, .NET's bind would set SO_REUSEADDR by itself.
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            SocketOptionSetting.Parse(option).Apply(socket, "127.0.0.1");
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static Socket Connected(int port)
    {
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(IPAddress.Loopback, port);
        return client;
    }

    /// <summary>The state in the kernel's own table (proc_pid_net(5)) of the one connection whose local port this is.</summary>
    private static string StateOf(int port)
    {
        string local = string.Create(CultureInfo.InvariantCulture, $"0100007F:{port:X4}");
        string? state = File.ReadLines("/proc/net/tcp").Skip(1)
            .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .FirstOrDefault(fields => fields[1] == local)?[3];
        return state switch
        {
            "05" => "FIN_WAIT2",
            "06" => TimeWait,
            null => "no state that /proc/net/tcp shows",
            _ => $"state {state} of /proc/net/tcp",
        };
    }
}

/// <summary>What a restart on a busy port came to.</summary>
/// <param name="Port">The port.</param>
/// <param name="KeepsTimeWait">
/// Whether the kernel keeps TIME_WAIT now; if not, net.ipv4.tcp_max_tw_buckets are in use, and a half-closed connection stood in for it.
/// </param>
/// <param name="State">The old connection's state when the second server bound the port.</param>
/// <param name="Refused">Why bind and listen failed; null if they did not.</param>
public sealed record RestartResult(int Port, bool KeepsTimeWait, string State, NetworkException? Refused);

/// <summary>What two servers at once on one port came to.</summary>
/// <param name="Refused">Why the second could not bind and listen; null if it could.</param>
/// <param name="First">How many of the connections the first server got.</param>
/// <param name="Second">How many the second got.</param>
public sealed record SharingResult(NetworkException? Refused, int First, int Second);
