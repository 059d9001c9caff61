namespace Doorbell.Tests;

/// <summary>What is done to a system call: it fails with an errno, or moves fewer bytes than it was asked to.</summary>
/// <param name="Call">Which.</param>
/// <param name="Errno">What it fails with; 0 for a call that is made, but short.</param>
/// <param name="OneIn">So many calls are made for one that is not, on average.</param>
internal sealed record Fault(SystemCall Call, int Errno, int OneIn);

/// <summary>
/// Fails calls as a seed says, from <see cref="Begin"/> on: the first of its kind, and then which it is, the n-th, decides, so that a run
/// can be had again as far as threads allow.
/// </summary>
internal sealed class SeededFaults(int seed, Fault fault) : SystemCallFaults, IDisposable
{
    private int _calls;
    private int _done;

    /// <summary>How many calls it has failed or shortened.</summary>
    public int Done => Volatile.Read(ref _done);

    public void Begin() => Injected = this;

    public static void End() => Injected = null;

    public void Dispose() => End();

    protected override int Before(SystemCall call, ref nint length)
    {
        if (call != fault.Call || (Interlocked.Increment(ref _calls) is var number && number > 1 && Mixed(number) % fault.OneIn != 0))
        {
            return 0;
        }

        Interlocked.Increment(ref _done);
        if (fault.Errno == 0 && length > 1)
        {
            length = 1 + (nint)(Mixed(Volatile.Read(ref _done)) % (int)nint.Min(length - 1, 5000));
        }

        return fault.Errno;
    }

    /// <summary>Positive, and as good as random.</summary>
    private int Mixed(int number)
    {
        ulong mixed = (ulong)(uint)number + ((ulong)(uint)seed << 32);
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
        return (int)((mixed ^ (mixed >> 31)) & int.MaxValue);
    }
}
