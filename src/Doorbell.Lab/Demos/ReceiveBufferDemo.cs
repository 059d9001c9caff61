using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Doorbell.SocketOptions;

namespace Doorbell.Lab.Demos;

/// <summary>A burst of datagrams that nobody reads in time, against a receive buffer (socket(7), udp(7)). Linux.</summary>
public static class ReceiveBufferDemo
{
    /// <summary>How many datagrams are sent at once.</summary>
    public const int Datagrams = 2000;

    /// <summary>Bytes of each.</summary>
    public const int DatagramBytes = 1000;

    // SOL_SOCKET, SO_MEMINFO and where in it SK_MEMINFO_DROPS is (asm-generic/socket.h, linux/sock_diag.h).
    private const int SocketLevel = 1;
    private const int MemInfo = 55;
    private const int MemInfoNumbers = 9;
    private const int DropsAt = 8;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);

    /// <summary>Sends the burst over loopback, and reads only after that.</summary>
    /// <param name="receiveBuffer">SO_RCVBUF as a setting takes it, as in <c>8k</c>; null for the system's default.</param>
    /// <exception cref="NetworkException">The kernel refuses the setting.</exception>
    public static ReceiveBufferResult Measure(string? receiveBuffer)
    {
        using Socket receiver = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        SocketOptionOutcome? option = receiveBuffer is null
            ? null
            : SocketOptionSetting.Parse($"SO_RCVBUF={receiveBuffer}").Apply(receiver, "the receiver");
        receiver.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using Socket sender = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        sender.Connect(receiver.LocalEndPoint!);
        byte[] datagram = new byte[DatagramBytes];
        for (int i = 0; i < Datagrams; i++)
        {
            sender.Send(datagram);
        }

        int received = 0;
        long began = Stopwatch.GetTimestamp();
        while (received + Drops(receiver) < Datagrams && Stopwatch.GetElapsedTime(began) < _patience)
        {
            if (receiver.Poll(TimeSpan.FromMilliseconds(1), SelectMode.SelectRead))
            {
                receiver.Receive(datagram);
                received++;
            }
        }

        return new ReceiveBufferResult(received, Drops(receiver), receiver.ReceiveBufferSize, option);
    }

    private static long Drops(Socket socket)
    {
        Span<byte> numbers = stackalloc byte[MemInfoNumbers * sizeof(uint)];
        socket.GetRawSocketOption(SocketLevel, MemInfo, numbers);
        return BitConverter.ToUInt32(numbers[(DropsAt * sizeof(uint))..]);
    }
}

/// <summary>What became of the datagrams of a <see cref="ReceiveBufferDemo"/>.</summary>
/// <param name="Received">How many were received.</param>
/// <param name="Dropped">How many the kernel dropped.</param>
/// <param name="BufferBytes">The receive buffer, as the kernel tells it.</param>
/// <param name="Option">What the kernel made of SO_RCVBUF; null if it was left at its default.</param>
public sealed record ReceiveBufferResult(int Received, long Dropped, int BufferBytes, SocketOptionOutcome? Option);
