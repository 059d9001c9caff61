using System.Runtime.InteropServices;

namespace Doorbell.Native;

/// <summary>The calls that <see cref="SystemCallFaults"/> stands in for.</summary>
internal enum SystemCall
{
    Accept,
    Receive,
    Send,
    Shutdown,

    /// <summary>recvmmsg(2), whose length is a number of messages; recvfrom(2).</summary>
    ReceiveDatagrams,

    /// <summary>sendmmsg(2), whose length is a number of messages; sendto(2).</summary>
    SendDatagrams,

    /// <summary>epoll_ctl(2).</summary>
    Watch,

    /// <summary>epoll_wait(2), or io_uring_enter(2).</summary>
    Wait,
}

/// <summary>
/// For tests: stands between the engines and the kernel, and fails calls in its place or makes them do less than was asked. In a
/// server there is none, and all it costs is the look.
/// </summary>
internal abstract class SystemCallFaults
{
    private static SystemCallFaults? _injected;

    /// <summary>Those in force, for all threads; null for none.</summary>
    public static SystemCallFaults? Injected
    {
        get => _injected;
        set => _injected = value;
    }

    /// <summary>Any thread, before each call.</summary>
    /// <param name="call">Which.</param>
    /// <param name="length">Bytes, or messages, to be moved, which may be made fewer; 0 where it must not.</param>
    /// <returns>0 to let the kernel do it, or the errno that it is to fail with.</returns>
    protected abstract int Before(SystemCall call, ref nint length);

    /// <summary>Whether the call is not to be made; then errno says why.</summary>
    public static bool Fails(SystemCall call, ref nint length)
    {
        SystemCallFaults? injected = _injected;
        return injected is not null && Fail(injected.Before(call, ref length));
    }

    private static bool Fail(int errno)
    {
        Marshal.SetLastPInvokeError(errno);
        return errno != 0;
    }
}
