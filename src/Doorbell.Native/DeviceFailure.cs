namespace Doorbell.Native;

/// <summary>Words why an end that is no TCP, UDP or unix socket can't be had, and what to do about it.</summary>
internal static class DeviceFailure
{
    private const int NoSuchFile = 2;
    private const int NoSuchAddress = 6;
    private const int Exists = 17;
    private const int NoSuchDevice = 19;
    private const int NotATerminal = 25;

    /// <param name="operation">The call that failed, as its manual page names it.</param>
    /// <param name="target">What it was tried on, fit to print.</param>
    /// <param name="errno">What the system answered.</param>
    public static NetworkException Of(string operation, string target, int errno) => new(
        operation, target, Errno.OfLinux(errno).ToString(), LinuxErrno.ToSocketError(errno), Advice(operation, target, errno));

    private static string? Advice(string operation, string target, int errno) => target.StartsWith("vsock:", StringComparison.Ordinal)
        ? ForVsock(errno)
        : (operation, errno) switch
        {
            ("symlink", Exists) => "something else has this name: remove it, or choose another",
            ("symlink", NoSuchFile) => "the folder is missing: make it, or choose another",
            ("symlink", Libc.AccessDenied) => "this user may not write in the folder: choose another",
            ("open", NoSuchFile) => "there is no such device: `ls /dev/tty*` shows those of this machine",
            ("open", Libc.AccessDenied) => "this user may not use the device: `ls -l` shows which user and group may",
            ("open", Libc.Busy) or ("flock", Libc.TryAgain) => "another program has it: stop it (`fuser` with the device's path names it)",
            ("open", NoSuchAddress or NoSuchDevice) => "nothing answers there: look whether the device is plugged in",
            (_, NotATerminal) => "it is no terminal: a serial line is a device such as /dev/ttyS0 or /dev/ttyUSB0",
            ("ioctl", Libc.InvalidArgument) => "the line has no such speed or form: choose another",
            _ => null,
        };

    private static string? ForVsock(int errno) => errno switch
    {
        Libc.FamilyNotSupported => "this kernel has no vsock: load the module vsock (`modprobe vsock`)",
        NoSuchDevice => "no machine has this number: the host is 2, and a machine's own is what its host has given it",
        Libc.TimedOut => "no answer: look at the number of the machine; this machine itself, 1, takes the module vsock_loopback",
        99 => "this machine has no such number: listen at vsock:*:PORT",
        98 => "another program has this port: stop it, or choose another",
        Libc.AccessDenied => "ports below 1024 take the capability CAP_NET_BIND_SERVICE: choose another",
        Libc.ConnectionReset => "nothing listens there: start the server, or look at the port",
        _ => null,
    };
}
