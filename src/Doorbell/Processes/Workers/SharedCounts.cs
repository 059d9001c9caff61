using Doorbell.Serving;

namespace Doorbell.Processes.Workers;

/// <summary>
/// Which connection each of a server's workers has now, in the memory they share. Five cells for each: the two halves of the address, the
/// scope in which it is counted, the door's number from 1, and since when the peer has been at rest (ticks; 0 without a
/// connection).
/// </summary>
/// <remarks>
/// A worker writes its own cells first and counts all behind a barrier. So of two workers that come at once both may be refused, but never
/// one too many is admitted.
/// </remarks>
/// <param name="shared">The memory.</param>
/// <param name="own">This worker's slot.</param>
/// <param name="workers">How many workers accept; they have the first slots.</param>
internal sealed class SharedCounts(SharedLedgers shared, int own, int workers) : SharedConnectionCounts
{
    private const int Low = 0;
    private const int High = 1;
    private const int Scope = 2;
    private const int Door = 3;
    private const int Rest = 4;

    /// <inheritdoc/>
    public override bool TryAcquire(int scope, UInt128 address, int max)
    {
        Write(scope, address);
        int count = 0;
        for (int slot = 0; slot < shared.Slots; slot++)
        {
            Span<long> cells = shared.CountsOf(slot);
            UInt128 counted = new((ulong)Volatile.Read(ref cells[High]), (ulong)Volatile.Read(ref cells[Low]));
            count += counted == address && Volatile.Read(ref cells[Scope]) == scope ? 1 : 0;
        }

        if (count <= max)
        {
            return true;
        }

        Release();
        return false;
    }

    /// <inheritdoc/>
    public override void Release() => Write(0, UInt128.Zero);

    /// <inheritdoc/>
    public override bool TryAcquireAt(int door, int max)
    {
        WriteDoor(door + 1);
        int count = 0;
        for (int slot = 0; slot < shared.Slots; slot++)
        {
            count += Volatile.Read(ref shared.CountsOf(slot)[Door]) == door + 1 ? 1 : 0;
        }

        if (count <= max)
        {
            return true;
        }

        ReleaseAt();
        return false;
    }

    /// <inheritdoc/>
    public override void ReleaseAt() => WriteDoor(0);

    /// <inheritdoc/>
    public override void Carries(TimeSpan restingSince) =>
        Volatile.Write(ref shared.CountsOf(own)[Rest], Math.Max(1, restingSince.Ticks));

    /// <inheritdoc/>
    public override void CarriesNone() => Volatile.Write(ref shared.CountsOf(own)[Rest], 0);

    /// <inheritdoc/>
    public override bool IsAmongLongestAtRest(int waiting)
    {
        long ours = Volatile.Read(ref shared.CountsOf(own)[Rest]);
        int longer = 0;
        for (int slot = 0; slot < workers; slot++)
        {
            long its = Volatile.Read(ref shared.CountsOf(slot)[Rest]);
            if (its == 0)
            {
                return false;
            }

            longer += its < ours || (its == ours && slot < own) ? 1 : 0;
        }

        return longer < waiting;
    }

    /// <summary>This worker has died.</summary>
    public void ReleaseAll()
    {
        CarriesNone();
        Release();
        ReleaseAt();
    }

    private void Write(int scope, UInt128 peer)
    {
        Span<long> cells = shared.CountsOf(own);
        Volatile.Write(ref cells[Scope], scope);
        Volatile.Write(ref cells[Low], (long)(ulong)peer);
        Volatile.Write(ref cells[High], (long)(ulong)(peer >> 64));
        Interlocked.MemoryBarrier();
    }

    private void WriteDoor(long door)
    {
        Volatile.Write(ref shared.CountsOf(own)[Door], door);
        Interlocked.MemoryBarrier();
    }
}
