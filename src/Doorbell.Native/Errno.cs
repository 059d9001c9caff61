using System.Globalization;
using System.Net.Sockets;

namespace Doorbell.Native;

/// <summary>
/// An error as errno(3), getaddrinfo(3) and every manual page name it, with the words of strerror(3). The words are kept here, since
/// SocketException adds the address to them, unescaped, and for EMFILE gives ENFILE's.
/// </summary>
/// <param name="Name">As in <c>ECONNREFUSED</c>.</param>
/// <param name="Text">As in <c>Connection refused</c>.</param>
internal readonly record struct Errno(string Name, string Text)
{
    // Socket calls ENOENT "address not available", which no unix socket ever is.
    public static readonly Errno NoSuchFile = new("ENOENT", "No such file or directory");

    /// <summary>As in <c>WSAECONNREFUSED</c>: what Windows calls it. Null if Windows has no such error.</summary>
    public string? WinsockName { get; init; }

    /// <summary>As this system names it, so that its users can look it up.</summary>
    public override string ToString() => Worded(OperatingSystem.IsWindows());

    public string Worded(bool onWindows) => $"{(onWindows ? WinsockName : null) ?? Name} ({Text})";

    /// <summary>Null where the name is unknown.</summary>
    public static Errno? Of(SocketException failure) =>
        Of(failure.SocketErrorCode) ?? (OperatingSystem.IsLinux() ? OnLinux(failure.NativeErrorCode) : null);

    /// <summary>Null where the name is unknown.</summary>
    public static Errno? Of(SocketError error) => (OfAddressOrType(error) ?? OfTransfer(error) ?? OfResolver(error)) is { } named
        ? named with { WinsockName = Winsock.NameOf(error, named.Name) }
        : null;

    /// <summary>An answer of Linux to a call (asm-generic/errno.h).</summary>
    public static Errno OfLinux(int number) => Named(number)
        ?? new(string.Create(CultureInfo.InvariantCulture, $"error {number}"), "errno(3) has its name");

    /// <summary>Null where the name is unknown.</summary>
    public static Errno? Named(int number) => number switch
    {
        13 => new("EACCES", "Permission denied"),
        14 => new("EFAULT", "Bad address"),
        16 => new("EBUSY", "Device or resource busy"),
        22 => new("EINVAL", "Invalid argument"),
        32 => new("EPIPE", "Broken pipe"),
        33 => new("EDOM", "Numerical argument out of domain"),
        34 => new("ERANGE", "Numerical result out of range"),
        61 => new("ENODATA", "No data available"),
        88 => new("ENOTSOCK", "Socket operation on non-socket"),
        92 => new("ENOPROTOOPT", "Protocol not available"),
        95 => new("EOPNOTSUPP", "Operation not supported"),
        98 => new("EADDRINUSE", "Address already in use"),
        99 => new("EADDRNOTAVAIL", "Cannot assign requested address"),
        105 => new("ENOBUFS", "No buffer space available"),
        106 => new("EISCONN", "Transport endpoint is already connected"),
        107 => new("ENOTCONN", "Transport endpoint is not connected"),
        114 => new("EALREADY", "Operation already in progress"),
        89 => new("EDESTADDRREQ", "Destination address required"),
        115 => new("EINPROGRESS", "Operation now in progress"),
        _ => OnLinux(number) ?? Of(LinuxErrno.ToSocketError(number)),
    };

    private static Errno? OfAddressOrType(SocketError error) => error switch
    {
        SocketError.AccessDenied => new("EACCES", "Permission denied"),
        SocketError.AddressAlreadyInUse => new("EADDRINUSE", "Address already in use"),
        SocketError.AddressFamilyNotSupported => new("EAFNOSUPPORT", "Address family not supported by protocol"),
        SocketError.AddressNotAvailable => new("EADDRNOTAVAIL", "Cannot assign requested address"),
        SocketError.DestinationAddressRequired => new("EDESTADDRREQ", "Destination address required"),
        SocketError.Fault => new("EFAULT", "Bad address"),
        SocketError.InvalidArgument => new("EINVAL", "Invalid argument"),
        SocketError.NotSocket => new("ENOTSOCK", "Socket operation on non-socket"),
        SocketError.OperationNotSupported => new("EOPNOTSUPP", "Operation not supported"),
        SocketError.ProtocolFamilyNotSupported => new("EPFNOSUPPORT", "Protocol family not supported"),
        SocketError.ProtocolNotSupported => new("EPROTONOSUPPORT", "Protocol not supported"),
        SocketError.ProtocolOption => new("ENOPROTOOPT", "Protocol not available"),
        SocketError.ProtocolType => new("EPROTOTYPE", "Protocol wrong type for socket"),
        SocketError.SocketNotSupported => new("ESOCKTNOSUPPORT", "Socket type not supported"),
        SocketError.TooManyOpenSockets => new("EMFILE", "Too many open files"),
        _ => null,
    };

    private static Errno? OfTransfer(SocketError error) => error switch
    {
        SocketError.AlreadyInProgress => new("EALREADY", "Operation already in progress"),
        SocketError.ConnectionAborted => new("ECONNABORTED", "Software caused connection abort"),
        SocketError.ConnectionRefused => new("ECONNREFUSED", "Connection refused"),
        SocketError.ConnectionReset => new("ECONNRESET", "Connection reset by peer"),
        SocketError.Disconnecting => new("ESHUTDOWN", "Cannot send after transport endpoint shutdown"),
        SocketError.HostDown => new("EHOSTDOWN", "Host is down"),
        SocketError.HostUnreachable => new("EHOSTUNREACH", "No route to host"),
        SocketError.InProgress => new("EINPROGRESS", "Operation now in progress"),
        SocketError.Interrupted => new("EINTR", "Interrupted system call"),
        SocketError.IsConnected => new("EISCONN", "Transport endpoint is already connected"),
        SocketError.MessageSize => new("EMSGSIZE", "Message too long"),
        SocketError.NetworkDown => new("ENETDOWN", "Network is down"),
        SocketError.NetworkReset => new("ENETRESET", "Network dropped connection on reset"),
        SocketError.NetworkUnreachable => new("ENETUNREACH", "Network is unreachable"),
        SocketError.NoBufferSpaceAvailable => new("ENOBUFS", "No buffer space available"),
        SocketError.NotConnected => new("ENOTCONN", "Transport endpoint is not connected"),
        SocketError.OperationAborted => new("ECANCELED", "Operation canceled"),
        SocketError.Shutdown => new("EPIPE", "Broken pipe"),
        SocketError.TimedOut => new("ETIMEDOUT", "Connection timed out"),
        SocketError.WouldBlock => new("EAGAIN", "Resource temporarily unavailable"),
        _ => null,
    };

    private static Errno? OfResolver(SocketError error) => error switch
    {
        SocketError.HostNotFound => new("EAI_NONAME", "Name or service not known"),
        SocketError.NoData => new("EAI_NODATA", "No address associated with hostname"),
        SocketError.NoRecovery => new("EAI_FAIL", "Non-recoverable failure in name resolution"),
        SocketError.TryAgain => new("EAI_AGAIN", "Temporary failure in name resolution"),
        _ => null,
    };

    /// <summary>Those that SocketError has no value for (errno-base.h).</summary>
    public static Errno? OnLinux(int number) => number switch
    {
        1 => new("EPERM", "Operation not permitted"),
        2 => NoSuchFile,
        5 => new("EIO", "Input/output error"),
        6 => new("ENXIO", "No such device or address"),
        8 => new("ENOEXEC", "Exec format error"),
        9 => new("EBADF", "Bad file descriptor"),
        10 => new("ECHILD", "No child processes"),
        12 => new("ENOMEM", "Cannot allocate memory"),
        7 => new("E2BIG", "Argument list too long"),
        17 => new("EEXIST", "File exists"),
        19 => new("ENODEV", "No such device"),
        20 => new("ENOTDIR", "Not a directory"),
        21 => new("EISDIR", "Is a directory"),
        23 => new("ENFILE", "Too many open files in system"),
        25 => new("ENOTTY", "Inappropriate ioctl for device"),
        26 => new("ETXTBSY", "Text file busy"),
        27 => new("EFBIG", "File too large"),
        28 => new("ENOSPC", "No space left on device"),
        30 => new("EROFS", "Read-only file system"),
        36 => new("ENAMETOOLONG", "File name too long"),
        38 => new("ENOSYS", "Function not implemented"),
        40 => new("ELOOP", "Too many levels of symbolic links"),
        71 => new("EPROTO", "Protocol error"),
        91 => new("EPROTOTYPE", "Protocol wrong type for socket"),
        94 => new("ESOCKTNOSUPPORT", "Socket type not supported"),
        96 => new("EPFNOSUPPORT", "Protocol family not supported"),
        64 => new("ENONET", "Machine is not on the network"),
        75 => new("EOVERFLOW", "Value too large for defined data type"),
        80 => new("ELIBBAD", "Accessing a corrupted shared library"),
        122 => new("EDQUOT", "Disk quota exceeded"),
        _ => null,
    };
}
