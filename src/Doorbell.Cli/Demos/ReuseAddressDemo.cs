using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Doorbell.SocketOptions;

namespace Doorbell.Cli;

/// <summary>
/// A server that closes a connection first keeps its port busy in TIME_WAIT (RFC 9293 section 3.6.1): what a restart then does without
/// SO_REUSEADDR, with it, and what SO_REUSEPORT does instead (socket(7), ip(7)).
/// </summary>
internal static class ReuseAddressDemo
{
    private const int Connections = 200;
    private const string TimeWait = "TIME_WAIT";

    public static void Run(TextWriter output)
    {
        Restart(output, "SO_REUSEADDR=0");
        Restart(output, "SO_REUSEADDR=1");
        Share(output, "SO_REUSEADDR=1");
        Share(output, "SO_REUSEPORT=1");
        output.WriteLine();
        output.WriteLine(
            "socket(7): with SO_REUSEADDR \"a socket may bind, except when there is an active listening socket bound to the address\": it "
                + "passes over TIME_WAIT, which lasts 60 s on Linux, and never lets two servers share. "
                + "The old server must have had it too.");
        output.WriteLine(
            "SO_REUSEPORT \"permits multiple AF_INET or AF_INET6 sockets to be bound to an identical socket address\", and the kernel "
                + "spreads the connections among them: for shards of one server, of one user, and not for restarts.");
        output.WriteLine("Doorbell sets SO_REUSEADDR alone, so that a second server on the same port fails and says so.");
    }

    /// <summary>A server ends with a connection it closed first; the next one binds its port.</summary>
    private static void Restart(TextWriter output, string option)
    {
        int port = End(option, whole: true, out Socket[] held);
        if (StateOf(port) != TimeWait)
        {
            output.WriteLine(
                "the kernel keeps no TIME_WAIT now, as net.ipv4.tcp_max_tw_buckets are in use: a half-closed connection stands in for it");
            port = End(option, whole: false, out held);
        }

        output.WriteLine(
            $"restart with {option}: the old connection on port {port} is in {StateOf(port)}; bind and listen: {Listens(option, port)}");
        Array.ForEach(held, static socket => socket.Dispose());
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

    /// <summary>Two servers at once on one port.</summary>
    private static void Share(TextWriter output, string option)
    {
        using Socket first = Bound(option, 0);
        first.Listen(Connections);
        int port = ((IPEndPoint)first.LocalEndPoint!).Port;
        string answer = Listens(option, port, out Socket? second);
        using (second)
        {
            string spread = second is null ? "" : $"; {Spread(port, first, second)}";
            output.WriteLine($"second server at the same time with {option}: {answer}{spread}");
        }
    }

    private static string Spread(int port, Socket first, Socket second)
    {
        List<Socket> clients = [.. Enumerable.Range(0, Connections).Select(_ => Connected(port))];
        (int One, int Two) accepted = (Accepted(first), Accepted(second));
        clients.ForEach(static client => client.Dispose());
        return $"of {Connections} connections one got {accepted.One}, the other {accepted.Two}";
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

    private static string Listens(string option, int port)
    {
        string answer = Listens(option, port, out Socket? socket);
        socket?.Dispose();
        return answer;
    }

    private static string Listens(string option, int port, out Socket? socket)
    {
        Socket? made = null;
        try
        {
            made = Bound(option, port);
            made.Listen(Connections);
            socket = made;
            return "done";
        }
        catch (SocketException failure)
        {
            made?.Dispose();
            socket = null;
            NetworkException named = NetworkException.From("bind", "127.0.0.1", failure.SocketErrorCode);
            return $"{named.ErrnoName} ({named.ErrnoText})";
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
