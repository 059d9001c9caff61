using System.Net;
using System.Net.Sockets;

namespace Doorbell.Native;

/// <summary>The addresses of a socket that is connected or bound.</summary>
internal static unsafe class SocketAddresses
{
    private const int MaxAddress = 128;

    /// <summary>getpeername(2); no address if it has no peer, or none any more.</summary>
    public static PeerAddress PeerOf(int descriptor)
    {
        byte* address = stackalloc byte[MaxAddress];
        int length = MaxAddress;
        return Libc.getpeername(descriptor, address, &length) == 0 ? Read(address, length) : default;
    }

    /// <summary>getsockname(2); no address if the descriptor is closed.</summary>
    public static PeerAddress LocalOf(int descriptor)
    {
        byte* address = stackalloc byte[MaxAddress];
        int length = MaxAddress;
        return Libc.getsockname(descriptor, address, &length) == 0 ? Read(address, length) : default;
    }

    /// <summary>An address as .NET's Socket tells it; none for another kind.</summary>
    public static PeerAddress Of(EndPoint? address) => address switch
    {
        IPEndPoint ip => PeerAddress.From(ip),
        UnixEndPoint unix => PeerAddress.FromUnix(unix.Path),

        // Of an unnamed one its whole buffer would be read, as a name of 108 NULs.
        UnixDomainSocketEndPoint unnamed when unnamed.ToString().Length == 0 => PeerAddress.FromUnix(null),
        UnixDomainSocketEndPoint unix => SocketAddressCodec.Read(unix.Serialize()),
        _ => default,
    };

    private static PeerAddress Read(byte* address, int length) =>
        SocketAddressCodec.ReadLinux(new ReadOnlySpan<byte>(address, Math.Min(length, MaxAddress)));
}
