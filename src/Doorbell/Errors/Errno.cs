using System.Net.Sockets;

namespace Doorbell;

/// <summary>The names that errno(3), getaddrinfo(3) and every manual page use.</summary>
internal static class Errno
{
    /// <summary>Null where the name is unknown.</summary>
    public static string? NameOf(SocketException failure) => NameOf(failure.SocketErrorCode) ?? OnLinux(failure.NativeErrorCode);

    private static string? NameOf(SocketError error) => error switch
    {
        SocketError.AccessDenied => "EACCES",
        SocketError.AddressAlreadyInUse => "EADDRINUSE",
        SocketError.AddressFamilyNotSupported => "EAFNOSUPPORT",
        SocketError.AddressNotAvailable => "EADDRNOTAVAIL",
        SocketError.AlreadyInProgress => "EALREADY",
        SocketError.ConnectionAborted => "ECONNABORTED",
        SocketError.ConnectionRefused => "ECONNREFUSED",
        SocketError.ConnectionReset => "ECONNRESET",
        SocketError.DestinationAddressRequired => "EDESTADDRREQ",
        SocketError.Fault => "EFAULT",
        SocketError.HostDown => "EHOSTDOWN",
        SocketError.HostNotFound => "EAI_NONAME",
        SocketError.HostUnreachable => "EHOSTUNREACH",
        SocketError.InProgress => "EINPROGRESS",
        SocketError.Interrupted => "EINTR",
        SocketError.InvalidArgument => "EINVAL",
        SocketError.IsConnected => "EISCONN",
        SocketError.MessageSize => "EMSGSIZE",
        SocketError.NetworkDown => "ENETDOWN",
        SocketError.NetworkReset => "ENETRESET",
        SocketError.NetworkUnreachable => "ENETUNREACH",
        SocketError.NoBufferSpaceAvailable => "ENOBUFS",
        SocketError.NoData => "EAI_NODATA",
        SocketError.NoRecovery => "EAI_FAIL",
        SocketError.NotConnected => "ENOTCONN",
        SocketError.NotSocket => "ENOTSOCK",
        SocketError.OperationNotSupported => "EOPNOTSUPP",
        SocketError.ProtocolFamilyNotSupported => "EPFNOSUPPORT",
        SocketError.ProtocolNotSupported => "EPROTONOSUPPORT",
        SocketError.ProtocolOption => "ENOPROTOOPT",
        SocketError.ProtocolType => "EPROTOTYPE",
        SocketError.Shutdown => "EPIPE",
        SocketError.SocketNotSupported => "ESOCKTNOSUPPORT",
        SocketError.TimedOut => "ETIMEDOUT",
        SocketError.TooManyOpenSockets => "EMFILE",
        SocketError.TryAgain => "EAI_AGAIN",
        SocketError.WouldBlock => "EAGAIN",
        _ => null,
    };

    /// <summary>Those that SocketError has no value for (errno-base.h).</summary>
    private static string? OnLinux(int errno) => !OperatingSystem.IsLinux() ? null : errno switch
    {
        1 => "EPERM",
        2 => "ENOENT",
        12 => "ENOMEM",
        20 => "ENOTDIR",
        21 => "EISDIR",
        23 => "ENFILE",
        28 => "ENOSPC",
        30 => "EROFS",
        40 => "ELOOP",
        71 => "EPROTO",
        _ => null,
    };
}
