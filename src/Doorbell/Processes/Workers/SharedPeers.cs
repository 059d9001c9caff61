namespace Doorbell.Processes.Workers;

/// <summary>Whose connection each of a server's workers has now, in the memory they share: how they count one address together.</summary>
internal sealed class SharedPeers(SharedLedgers shared, int own)
{
    /// <summary>
    /// Notes whom this worker has; false, and noted no more, if more than <paramref name="most"/> workers then have that one. Of two
    /// that come at once both may be refused, but never one too many admitted.
    /// </summary>
    public bool Admits(UInt128 peer, int most)
    {
        Write(peer);
        int count = 0;
        for (int slot = 0; slot < shared.Slots; slot++)
        {
            Span<long> cells = shared.PeerOf(slot);
            ulong low = (ulong)Volatile.Read(ref cells[0]);
            ulong high = (ulong)Volatile.Read(ref cells[1]);
            count += new UInt128(high, low) == peer ? 1 : 0;
        }

        if (count <= most)
        {
            return true;
        }

        Leave();
        return false;
    }

    /// <summary>This worker has none, or has died.</summary>
    public void Leave() => Write(UInt128.Zero);

    private void Write(UInt128 peer)
    {
        Span<long> cells = shared.PeerOf(own);
        Volatile.Write(ref cells[0], (long)(ulong)peer);
        Volatile.Write(ref cells[1], (long)(ulong)(peer >> 64));
        Interlocked.MemoryBarrier();
    }
}
