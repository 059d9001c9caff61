using System.Net.Sockets;
using Doorbell.Native;

namespace Doorbell.SocketOptions;

/// <summary>Reads and writes an option of a socket: by the kernel's calls on Linux, elsewhere by the names that Socket has.</summary>
internal static class SocketOptionAccess
{
    /// <summary>ENOPROTOOPT: the level has no such option.</summary>
    public const int UnknownOption = 92;

    /// <summary>EOPNOTSUPP: this kind of socket has no such level or option.</summary>
    public const int NotSupported = 95;

    /// <summary>Longer than any of the catalogue: TCP_CONGESTION and IFNAMSIZ have 16, a security context may have hundreds.</summary>
    private const int TextBytes = 256;

    private const int LingerBytes = 8;
    private const int TimeValBytes = 16;

    public static byte[] NewValue(SocketOption option) => new byte[option.Kind switch
    {
        SocketOptionKind.Linger => LingerBytes,
        SocketOptionKind.TimeVal => TimeValBytes,
        SocketOptionKind.Text => TextBytes,
        _ => option.Size,
    }];

    /// <summary>0, or Linux's errno.</summary>
    public static int Get(Socket socket, SocketOption option, byte[] value, out int length)
    {
        if (!OperatingSystem.IsLinux())
        {
            length = value.Length;
            return GetByName(socket, option, value);
        }

        int got = 0;
        int errno = OnDescriptor(socket, descriptor => Get(descriptor, option, value, out got));
        length = got;
        return errno;
    }

    /// <summary>0, or Linux's errno. Linux alone.</summary>
    public static int Get(int descriptor, SocketOption option, byte[] value, out int length) =>
        SocketOptionCalls.Get(descriptor, option.Level, option.Number, value, out length);

    /// <summary>0, or Linux's errno.</summary>
    public static int Set(Socket socket, SocketOption option, byte[] value) => OperatingSystem.IsLinux()
        ? OnDescriptor(socket, descriptor => Set(descriptor, option, value))
        : SetByName(socket, option, value);

    /// <summary>0, or Linux's errno. Linux alone.</summary>
    public static int Set(int descriptor, SocketOption option, byte[] value)
    {
        // The kernel takes any number (sock_bindtoindex_locked in net/core/sock.c), and from one that no interface has nothing ever comes.
        const int NoSuchDevice = 19;
        bool isOfNothing = option.Name == "SO_BINDTOIFINDEX" && BitConverter.ToInt32(value) is > 0 and int index
            && !SocketOptionCalls.IsInterface(index);
        return isOfNothing ? NoSuchDevice : SocketOptionCalls.Set(descriptor, option.Level, option.Number, value);
    }

    private static int OnDescriptor(Socket socket, Func<int, int> call)
    {
        SafeSocketHandle handle = socket.SafeHandle;
        bool held = false;
        try
        {
            handle.DangerousAddRef(ref held);
            return call((int)handle.DangerousGetHandle());
        }
        finally
        {
            if (held)
            {
                handle.DangerousRelease();
            }
        }
    }

    private static int GetByName(Socket socket, SocketOption option, byte[] value)
    {
        if (option.Portable is not { } name)
        {
            return UnknownOption;
        }

        try
        {
            if (option.Kind == SocketOptionKind.Linger)
            {
                LingerOption linger = socket.LingerState!;
                SocketOptionValue.WriteLinger(value, linger.Enabled, linger.LingerTime);
            }
            else
            {
                BitConverter.TryWriteBytes(value, (int)socket.GetSocketOption(LevelOf(option), name)!);
            }

            return 0;
        }
        catch (SocketException)
        {
            return UnknownOption;
        }
    }

    private static int SetByName(Socket socket, SocketOption option, byte[] value)
    {
        if (option.Portable is not { } name)
        {
            return UnknownOption;
        }

        const int InvalidArgument = 22;
        try
        {
            int number = BitConverter.ToInt32(value);
            if (option.Kind == SocketOptionKind.Linger)
            {
                socket.LingerState = new LingerOption(number != 0, BitConverter.ToInt32(value, sizeof(int)));
            }
            else
            {
                socket.SetSocketOption(LevelOf(option), name, number);
            }

            return 0;
        }
        catch (SocketException refused)
        {
            return refused.SocketErrorCode == SocketError.ProtocolOption ? UnknownOption : InvalidArgument;
        }
    }

    /// <summary>.NET numbers levels as the protocols are numbered, but for SOL_SOCKET.</summary>
    private static SocketOptionLevel LevelOf(SocketOption option) =>
        option.LevelName == "SOL_SOCKET" ? SocketOptionLevel.Socket : (SocketOptionLevel)option.Level;
}
