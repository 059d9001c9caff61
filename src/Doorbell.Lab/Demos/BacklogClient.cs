using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Doorbell.Lab.Demos;

/// <summary>One client of the demonstration: connects, sends a line, waits for it to come back. All times are from its start.</summary>
public sealed class BacklogClient
{
    private readonly long _begun = Stopwatch.GetTimestamp();

    /// <summary>When it was connected; null if it never was.</summary>
    public TimeSpan? Connected { get; private set; }

    /// <summary>When its line came back; null if it never did.</summary>
    public TimeSpan? Answered { get; private set; }

    /// <summary>When the server accepted it.</summary>
    public TimeSpan? Accepted { get; private set; }

    /// <summary>How often its kernel sent the SYN again; null off Linux.</summary>
    public int? SynsRepeated { get; private set; }

    /// <summary>How often its kernel sent the line again; null off Linux.</summary>
    public int? LinesRepeated { get; private set; }

    /// <summary>As which it was accepted, from 1.</summary>
    public int? Number { get; private set; }

    /// <summary>Why it got no answer; null if it did.</summary>
    public string? Failure { get; private set; }

    /// <summary>Begins to connect before it returns.</summary>
    internal async Task RunAsync(TextbookServer server, CancellationToken patience)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        string target = Endpoint.From(Transport.Tcp, server.Address).ToString();
        try
        {
            await socket.ConnectAsync(server.Address, patience);
            Connected = Stopwatch.GetElapsedTime(_begun);
            SynsRepeated = RepeatedBy(socket);
            int port = ((IPEndPoint)socket.LocalEndPoint!).Port;
            await socket.SendAsync("hello\n"u8.ToArray(), patience);
            if (await socket.ReceiveAsync(new byte[64], patience) == 0)
            {
                Failure = "closed without an answer";
                return;
            }

            Answered = Stopwatch.GetElapsedTime(_begun);
            (long at, Number) = server.Accepted[port];
            Accepted = Stopwatch.GetElapsedTime(_begun, at);
            LinesRepeated = RepeatedBy(socket) - SynsRepeated;
        }
        catch (SocketException failure)
        {
            Failure = NetworkException.From(Connected is null ? "connect" : "recv", target, failure).Message;
        }
        catch (OperationCanceledException)
        {
            Failure = Connected is null ? "not connected when time ran out" : "not answered when time ran out";
        }
    }

    private static int? RepeatedBy(Socket socket)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        // tcpi_total_retrans of struct tcp_info (linux/tcp.h).
        const int IpprotoTcp = 6;
        const int TcpInfo = 11;
        const int TotalRetrans = 100;
        Span<byte> info = stackalloc byte[TotalRetrans + sizeof(int)];
        return socket.GetRawSocketOption(IpprotoTcp, TcpInfo, info) == info.Length
            ? MemoryMarshal.Read<int>(info[TotalRetrans..])
            : null;
    }
}
