namespace Doorbell.Native;

/// <summary>
/// Keeps strangers out of a port that several sockets of ours share (SO_REUSEPORT, socket(7)). Every program of the same user may join it,
/// and the kernel would give it its share of the datagrams. With a program of ours (SO_ATTACH_REUSEPORT_CBPF) the kernel asks that which
/// socket gets a datagram. Sockets are numbered in the order in which they were bound, so a stranger's has a number that is never told.
/// </summary>
internal static unsafe class PortGuard
{
    private const int AttachToPort = 51;

    /// <summary>Where the IP header is, seen from any offset (SKF_NET_OFF in linux/filter.h).</summary>
    private const uint Header = 0xfff00000;

    private const uint Source4 = Header + 12;
    private const uint Port4 = Header + 20;
    private const uint Source6 = Header + 8;
    private const uint Port6 = Header + 40;

    /// <summary>2^32 divided by the golden ratio: multiplied by it, near numbers fall far from each other (Knuth, volume 3, 6.4).</summary>
    private const uint Spread = 0x9e3779b1;

    /// <summary>
    /// Spreads the port's datagrams over the first sockets alone, by the sender's address and port: what comes from one sender always goes
    /// to the same socket. A kernel that has no such program goes on spreading as it did.
    /// </summary>
    /// <param name="socket">Any of the port's sockets.</param>
    /// <param name="count">How many are ours.</param>
    public static void Attach(int socket, int count)
    {
        FilterInstruction* code = stackalloc FilterInstruction[]
        {
            new() { Code = 0x30, Operand = Header },        // the version and the header's length
            new() { Code = 0x74, Operand = 4 },             // the version
            new() { Code = 0x15, Operand = 6, IfFalse = 7 }, // if it is not 6, IPv4's part
            new() { Code = 0x20, Operand = Source6 + 4 },   // of IPv6 the second word, which is in the network's part
            new() { Code = 0x07 },
            new() { Code = 0x20, Operand = Source6 + 12 },  // and the last one
            new() { Code = 0xac },
            new() { Code = 0x07 },
            new() { Code = 0x28, Operand = Port6 },         // right behind the header
            new() { Code = 0x05, Operand = 3 },             // past IPv4's part
            new() { Code = 0x20, Operand = Source4 },
            new() { Code = 0x07 },
            new() { Code = 0x28, Operand = Port4 },
            new() { Code = 0xac },
            new() { Code = 0x24, Operand = Spread },
            new() { Code = 0x74, Operand = 16 },
            new() { Code = 0x94, Operand = (uint)count },
            new() { Code = 0x16 },                          // the socket's number
        };
        FilterProgram program = new() { Length = 18, Code = code };
        _ = Libc.setsockopt(socket, Libc.SocketLevel, AttachToPort, &program, sizeof(FilterProgram));
    }
}
