using System.Net.Sockets;
using Doorbell.Native;
using Doorbell.Sockets;

namespace Doorbell.Lanes.Datagrams;

/// <summary>Sends a datagram by a call that does not wait for a peer.</summary>
internal static unsafe class DatagramCalls
{
    private const int MaxAddress = 128;

    /// <summary>So long a full send buffer is waited for; then the datagram is lost, as the network loses them.</summary>
    private const int MaxMilliseconds = 100;

    /// <exception cref="NetworkException">The system refused it.</exception>
    /// <exception cref="ArgumentException">The peer has no address to send to.</exception>
    public static void Send(DoorSocket from, AddressFamily family, ReadOnlySpan<byte> bytes, PeerAddress to)
    {
        byte* address = stackalloc byte[MaxAddress];
        int length = SocketAddressCodec.WriteLinux(to, family, new Span<byte>(address, MaxAddress));
        int errno = TrySend(from, bytes, address, length);

        // A unix peer that does not read would be waited for (unix(7)): its answer is dropped, so that nobody waits because of it.
        if (errno == Libc.TryAgain && to.Kind != AddressKind.Unix)
        {
            PollDescriptor room = new() { Descriptor = from.Descriptor, Events = PollDescriptor.Out };
            _ = Libc.poll(&room, 1, MaxMilliseconds);
            errno = TrySend(from, bytes, address, length);
        }

        if (errno != 0)
        {
            throw NetworkException.FromErrno("send", $"{from.Door.Endpoint} to {to}", errno);
        }
    }

    private static int TrySend(DoorSocket from, ReadOnlySpan<byte> bytes, byte* address, int addressLength)
    {
        fixed (byte* first = bytes)
        {
            int flags = Libc.MessageDontWait | Libc.MessageNoSignal;
            nint sent = SystemCalls.Backend.SendTo(from.Descriptor, first, bytes.Length, flags, address, addressLength);
            return sent >= 0 ? 0 : LinuxErrno.Last;
        }
    }
}
