namespace Doorbell.Tests;

/// <summary>One call of a kind fails, or moves only one of what it was asked to move: the n-th since <see cref="Begin"/>.</summary>
internal sealed class NthFault(SystemCall fails, int errno, int nth) : SystemCallFaults, IDisposable
{
    private int _calls;
    private int _done;

    /// <summary>Whether the call has come.</summary>
    public bool Done => Volatile.Read(ref _done) != 0;

    public void Begin() => Injected = this;

    public void Dispose() => Injected = null;

    protected override int Before(SystemCall call, ref nint length)
    {
        if (call != fails || Interlocked.Increment(ref _calls) != nth)
        {
            return 0;
        }

        Volatile.Write(ref _done, 1);
        length = Math.Min(length, 1);
        return errno;
    }
}
