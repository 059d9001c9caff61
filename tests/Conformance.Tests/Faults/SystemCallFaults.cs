using System.Runtime.InteropServices;

namespace Doorbell.Tests;

/// <summary>Fails calls in the kernel's place, or makes them do less than was asked: see <see cref="FaultySystemCalls"/>.</summary>
internal abstract class SystemCallFaults
{
    private static SystemCallFaults? _injected;

    /// <summary>Those in force, for all threads; null for none.</summary>
    public static SystemCallFaults? Injected
    {
        get => Volatile.Read(ref _injected);
        set => Volatile.Write(ref _injected, value);
    }

    /// <summary>Any thread, before each call.</summary>
    /// <param name="call">Which.</param>
    /// <param name="length">Bytes, or messages, to be moved, which may be made fewer; 0 where it must not.</param>
    /// <returns>0 to let the kernel do it, or the errno that it is to fail with.</returns>
    protected abstract int Before(SystemCall call, ref nint length);

    /// <summary>The errno that the call is to fail with instead of being made; 0 to make it.</summary>
    public static int ErrnoFor(SystemCall call, ref nint length) => Injected is { } injected ? injected.Before(call, ref length) : 0;

    /// <summary>As <see cref="ErrnoFor"/>, of a call that says why it failed by errno.</summary>
    public static bool Fails(SystemCall call, ref nint length)
    {
        int errno = ErrnoFor(call, ref length);
        Marshal.SetLastPInvokeError(errno);
        return errno != 0;
    }
}
