using Doorbell.Serving;

namespace Doorbell.Processes.Workers;

/// <summary>Whose connection each of a server's workers has now, in the memory they share: how they count one address together.</summary>
internal sealed class SharedPeers(SharedLedgers shared, int own) : SharedAddressCount
{
    /// <inheritdoc/>
    /// <remarks>Of two that come at once both may be refused, but never one too many admitted.</remarks>
    public override bool TryAcquire(UInt128 address, int max)
    {
        Write(address);
        int count = 0;
        for (int slot = 0; slot < shared.Slots; slot++)
        {
            Span<long> cells = shared.PeerOf(slot);
            ulong low = (ulong)Volatile.Read(ref cells[0]);
            ulong high = (ulong)Volatile.Read(ref cells[1]);
            count += new UInt128(high, low) == address ? 1 : 0;
        }

        if (count <= max)
        {
            return true;
        }

        Release();
        return false;
    }

    /// <summary>This worker has none, or has died.</summary>
    public override void Release() => Write(UInt128.Zero);

    private void Write(UInt128 peer)
    {
        Span<long> cells = shared.PeerOf(own);
        Volatile.Write(ref cells[0], (long)(ulong)peer);
        Volatile.Write(ref cells[1], (long)(ulong)(peer >> 64));
        Interlocked.MemoryBarrier();
    }
}
