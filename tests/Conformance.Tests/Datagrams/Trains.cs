using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Doorbell.Tests;

/// <summary>A UDP client that gives the kernel many datagrams as one (UDP_SEGMENT, udp(7)), and takes answers one by one.</summary>
internal sealed class Trains : IDisposable
{
    private const int UdpLevel = 17;
    private const int UdpSegment = 103;

    private readonly byte[] _answer = new byte[65_536];

    public Trains(IPAddress address, int port)
    {
        Socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp)
        {
            ReceiveTimeout = 20_000,
            ReceiveBufferSize = 1 << 21,
        };
        Socket.Connect(address, port);
    }

    public Trains(Running server)
        : this(IPAddress.Loopback, server.Endpoint.Port)
    {
    }

    public Socket Socket { get; }

    /// <summary>Sends the text as datagrams of so many bytes, the last may be shorter, in one call.</summary>
    public void Send(string text, int bytes)
    {
        Socket.SetRawSocketOption(UdpLevel, UdpSegment, BitConverter.GetBytes(bytes));
        Socket.Send(Encoding.UTF8.GetBytes(text));
        Socket.SetRawSocketOption(UdpLevel, UdpSegment, BitConverter.GetBytes(0));
    }

    public string Receive() => Encoding.UTF8.GetString(_answer, 0, Socket.Receive(_answer));

    public string[] Receive(int count) => [.. Enumerable.Range(0, count).Select(_ => Receive())];

    /// <summary>Numbered texts of this length each, one behind the other.</summary>
    public static string Numbered(int count, int length) =>
        string.Concat(Enumerable.Range(0, count).Select(i => $"n{i}".PadRight(length, 'x')));

    /// <summary>What the capitaliser answers to <see cref="Numbered"/>.</summary>
    public static string[] NumberedAnswers(int count, int length) =>
        [.. Enumerable.Range(0, count).Select(i => $"N{i}".PadRight(length, 'X'))];

    public void Dispose() => Socket.Dispose();
}
