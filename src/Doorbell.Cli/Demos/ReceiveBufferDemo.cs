using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Doorbell.SocketOptions;

namespace Doorbell.Cli;

/// <summary>A burst of datagrams that nobody reads in time, against receive buffers of three sizes (socket(7), udp(7)).</summary>
internal static class ReceiveBufferDemo
{
    private const int Datagrams = 2000;
    private const int DatagramBytes = 1000;

    // SOL_SOCKET, SO_MEMINFO and where in it SK_MEMINFO_DROPS is (asm-generic/socket.h, linux/sock_diag.h).
    private const int SocketLevel = 1;
    private const int MemInfo = 55;
    private const int MemInfoNumbers = 9;
    private const int DropsAt = 8;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);

    public static void Run(TextWriter output)
    {
        output.WriteLine($"{Datagrams} datagrams of {DatagramBytes} bytes are sent at once over loopback, and read only after that.");
        Measure(output, "SO_RCVBUF=8k");
        Measure(output, null);
        Measure(output, "SO_RCVBUF=4m");
        output.WriteLine();
        output.WriteLine(
            "A datagram that finds the buffer full is dropped without a word to anyone: UDP has no flow control. The kernel counts them "
                + "for each socket (SO_MEMINFO, read here), and can tell with each recvmsg \"the number of packets dropped by the "
                + "socket since its creation\" (socket(7), SO_RXQ_OVFL).");
        output.WriteLine(
            "A datagram takes more of the buffer than its own bytes: that is why \"the kernel doubles this value (to allow space for "
                + "bookkeeping overhead)\" (socket(7)). More than net.core.rmem_max takes SO_RCVBUFFORCE and root.");
    }

    private static void Measure(TextWriter output, string? option)
    {
        using Socket receiver = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        string buffer = option is null
            ? $"SO_RCVBUF is {receiver.ReceiveBufferSize} bytes, the default (net.core.rmem_default)"
            : SocketOptionSetting.Parse(option).Apply(receiver, "the receiver").ToString();
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

        output.WriteLine($"{Datagrams} sent, {received,4} received, {Drops(receiver),4} dropped by the kernel; {buffer}");
    }

    private static long Drops(Socket socket)
    {
        Span<byte> numbers = stackalloc byte[MemInfoNumbers * sizeof(uint)];
        socket.GetRawSocketOption(SocketLevel, MemInfo, numbers);
        return BitConverter.ToUInt32(numbers[(DropsAt * sizeof(uint))..]);
    }
}
