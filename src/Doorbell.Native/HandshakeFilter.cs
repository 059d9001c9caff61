using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>
/// Keeps a listener from completing handshakes, or from beginning any, so that it can be closed without resetting one. The kernel puts a
/// connection whose last segment of the handshake arrives into the backlog; if the listener is closed between the look at its state and
/// that, it resets the connection, though another listener shares the port (inet_csk_complete_hashdance and inet_csk_reqsk_queue_add in
/// net/ipv4/inet_connection_sock.c). A segment that is dropped instead is sent again by the peer, and then goes to the other listener.
/// </summary>
internal static unsafe partial class HandshakeFilter
{
    private const int AttachFilter = 26;
    private const int DetachFilter = 27;
    private const int BarrierGlobal = 1;

    /// <summary>In the header of a segment, where the filter of a TCP socket sees it from, the flags are the 14th byte.</summary>
    private const int FlagsAt = 13;
    private const int Syn = 2;

    /// <summary>SO_BINDTOIFINDEX of socket(7).</summary>
    private const int BindToInterfaceIndex = 62;

    /// <summary>
    /// Drops whatever reaches the listener and is no SYN, and returns when no segment that came before is still being handled. Without
    /// effect where the kernel has no such filter.
    /// </summary>
    public static void Attach(int listener)
    {
        FilterInstruction* code = stackalloc FilterInstruction[]
        {
            new() { Code = 0x30, Operand = FlagsAt },           // load the byte
            new() { Code = 0x45, Operand = Syn, IfFalse = 1 },  // is SYN set?
            new() { Code = 0x06, Operand = uint.MaxValue },     // take it
            new() { Code = 0x06, Operand = 0 },                 // drop it
        };
        FilterProgram program = new() { Length = 4, Code = code };
        if (Libc.setsockopt(listener, Libc.SocketLevel, AttachFilter, &program, sizeof(FilterProgram)) != 0)
        {
            return;
        }

        AwaitSegmentsInWork();
    }

    /// <summary>
    /// Refuses whoever begins a handshake from now on, while those that have begun are completed, and returns when no segment that came
    /// before is still being handled. The listener is bound to an interface that there is not, so that a SYN finds no listener and is
    /// answered by a reset (compute_score in net/ipv4/inet_hashtables.c); a connection that is half made is found by itself. For a
    /// listener that is alone at its port. Without effect if the listener is bound to an interface and the caller may not change that.
    /// </summary>
    public static void RefuseSyn(int listener)
    {
        int none = int.MaxValue;
        if (Libc.setsockopt(listener, Libc.SocketLevel, BindToInterfaceIndex, &none, sizeof(int)) == 0)
        {
            AwaitSegmentsInWork();
        }
    }

    /// <summary>
    /// membarrier(2): global barrier, which waits until every processor has left the code that saw the listener as it was before
    /// (synchronize_rcu; the lookup of listeners, their filters and the handling of segments are under RCU).
    /// </summary>
    private static void AwaitSegmentsInWork()
    {
        nint number = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 324,
            Architecture.Arm64 => 283,
            _ => -1,
        };
        if (number >= 0)
        {
            _ = syscall(number, BarrierGlobal, 0, 0);
        }
    }

    /// <summary>A connection that was being made at that very moment has inherited the filter, and would hear nothing.</summary>
    public static void Detach(int connection)
    {
        int unused = 0;
        _ = Libc.setsockopt(connection, Libc.SocketLevel, DetachFilter, &unused, sizeof(int));
    }

    [LibraryImport("libc")]
    private static partial nint syscall(nint number, nint command, nint flags, nint processor);
}
