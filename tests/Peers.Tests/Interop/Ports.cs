using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>Ports for peers that can't choose or announce one themselves.</summary>
internal static class Ports
{
    public static int Free(string transport)
    {
        using Socket probe = transport == "tcp" ? new(SocketType.Stream, ProtocolType.Tcp) : new(SocketType.Dgram, ProtocolType.Udp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }

    /// <summary>Waits until nothing listens on a TCP port any more.</summary>
    public static void WaitUntilGone(int port)
    {
        DateTime deadline = DateTime.UtcNow.AddSeconds(20);
        while (IsServed("tcp", port))
        {
            Assert.True(DateTime.UtcNow < deadline, $"port {port} is still served");
            Thread.Yield();
        }
    }

    /// <summary>Waits until the kernel's own table shows the port listening (TCP) or bound (UDP), without disturbing its server.</summary>
    public static void WaitUntilServed(string transport, int port)
    {
        DateTime deadline = DateTime.UtcNow.AddSeconds(20);
        while (!IsServed(transport, port))
        {
            Assert.True(DateTime.UtcNow < deadline, $"nobody serves {transport} port {port}");
            Thread.Yield();
        }
    }

    private static bool IsServed(string transport, int port)
    {
        string suffix = string.Create(CultureInfo.InvariantCulture, $":{port:X4}");
        string state = transport == "tcp" ? "0A" : "07";
        return new[] { transport, transport + "6" }.SelectMany(static table => File.ReadAllLines($"/proc/net/{table}").Skip(1))
            .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Any(fields => fields[1].EndsWith(suffix, StringComparison.Ordinal) && fields[3] == state);
    }
}
