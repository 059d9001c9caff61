using System.Net;
using System.Net.Sockets;

namespace Doorbell.Native;

/// <summary>
/// A unix socket's address, byte for byte. .NET's own makes U+FFFD of what is no UTF-8, which is another address, and its Socket deletes
/// the file that it has bound when it is closed: by then the path may be another server's.
/// </summary>
/// <param name="path">As <see cref="SystemText"/> has it; an abstract name begins with NUL; empty if unnamed.</param>
internal sealed class UnixEndPoint(string path) : EndPoint
{
    private const int MaxBytes = 128;

    /// <summary>
    /// Whether a listener is bound to it: Socket writes the address of each connection's peer, which may be longer, into one that its
    /// listener's endpoint has made. A connect takes an address of its exact length.
    /// </summary>
    public bool IsOfListener { get; init; }

    public override AddressFamily AddressFamily => AddressFamily.Unix;

    /// <exception cref="ArgumentException">It is unnamed, or longer than an address can be.</exception>
    public override SocketAddress Serialize()
    {
        Span<byte> bytes = stackalloc byte[MaxBytes];
        int length = SocketAddressCodec.WriteUnix(path, bytes);

        SocketAddress address = new(AddressFamily.Unix, IsOfListener ? MaxBytes : length) { Size = length };
        bytes[SocketAddressCodec.PathAt..length].CopyTo(address.Buffer.Span[SocketAddressCodec.PathAt..]);
        return address;
    }

    public override EndPoint Create(SocketAddress socketAddress) => new UnixEndPoint(SocketAddressCodec.Read(socketAddress).Path!);

    public override bool Equals(object? obj) => obj is UnixEndPoint other && other.Path == Path;

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Path);

    public override string ToString() => PeerAddress.FromUnix(Path).ToString();

    public string Path => path;
}
