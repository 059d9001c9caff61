using Doorbell.Native;

namespace Doorbell.Tests;

/// <summary>The first accept finds no memory, and then no descriptor can be watched.</summary>
internal sealed class NoAcceptNoWatch : SystemCallFaults, IDisposable
{
    private int _accepts;
    private int _watches;

    /// <summary>How many watches it has failed.</summary>
    public int Watches => Volatile.Read(ref _watches);

    public void Dispose() => Injected = null;

    protected override int Before(SystemCall call, ref nint length)
    {
        if (call == SystemCall.Accept && Interlocked.Increment(ref _accepts) == 1)
        {
            return Libc.NoBuffers;
        }

        if (call == SystemCall.Watch && Volatile.Read(ref _accepts) > 0)
        {
            Interlocked.Increment(ref _watches);
            return Libc.OutOfMemory;
        }

        return 0;
    }
}
