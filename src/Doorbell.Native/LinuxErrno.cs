using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>Linux's error numbers (asm-generic/errno.h) as .NET names them.</summary>
internal static class LinuxErrno
{
    /// <summary>The last call's.</summary>
    public static int Last => Marshal.GetLastPInvokeError();

    /// <summary>As .NET names it; <see cref="SocketError.SocketError"/> where it has no name for it.</summary>
    public static SocketError ToSocketError(int errno) => errno switch
    {
        4 => SocketError.Interrupted,
        11 => SocketError.WouldBlock,
        13 => SocketError.AccessDenied,
        14 => SocketError.Fault,
        22 => SocketError.InvalidArgument,
        24 => SocketError.TooManyOpenSockets,
        32 => SocketError.Shutdown,
        71 => SocketError.NetworkDown,
        88 => SocketError.NotSocket,
        90 => SocketError.MessageSize,
        92 => SocketError.ProtocolOption,
        93 => SocketError.ProtocolNotSupported,
        95 => SocketError.OperationNotSupported,
        97 => SocketError.AddressFamilyNotSupported,
        98 => SocketError.AddressAlreadyInUse,
        99 => SocketError.AddressNotAvailable,
        100 => SocketError.NetworkDown,
        101 => SocketError.NetworkUnreachable,
        103 => SocketError.ConnectionAborted,
        104 => SocketError.ConnectionReset,
        105 => SocketError.NoBufferSpaceAvailable,
        107 => SocketError.NotConnected,
        108 => SocketError.Disconnecting,
        110 => SocketError.TimedOut,
        111 => SocketError.ConnectionRefused,
        112 => SocketError.HostDown,
        113 => SocketError.HostUnreachable,
        _ => SocketError.SocketError,
    };
}
