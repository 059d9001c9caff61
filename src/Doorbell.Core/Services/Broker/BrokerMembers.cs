namespace Doorbell;

/// <summary>Who is connected to a broker. Members come, go and speak on the threads of their lanes; none waits for another.</summary>
internal sealed class BrokerMembers
{
    /// <summary>Replaced at each change and never changed in place, so that a speaker needs no lock.</summary>
    private BrokerInbox[] _all = [];

    /// <summary>Those that are told are taken from here.</summary>
    public FreeBrokerPieces Pieces { get; } = new();

    public void Add(BrokerInbox member) => Replace(all => [.. all, member]);

    public void Remove(BrokerInbox member) => Replace(all => [.. all.Where(each => each != member)]);

    /// <summary>Tells all but the speaker.</summary>
    public void Tell(BrokerInbox speaker, ReadOnlySpan<byte> bytes)
    {
        BrokerPiece? piece = null;
        foreach (BrokerInbox member in Volatile.Read(ref _all))
        {
            if (member != speaker)
            {
                // One copy for all of them: each reads it on its own lane, after this call.
                piece ??= Pieces.Take(bytes);
                piece.AddReader();
                member.Add(piece);
            }
        }

        if (piece is not null)
        {
            Pieces.Release(piece);
        }
    }

    private void Replace(Func<BrokerInbox[], BrokerInbox[]> change)
    {
        BrokerInbox[] seen;
        do
        {
            seen = Volatile.Read(ref _all);
        }
        while (Interlocked.CompareExchange(ref _all, change(seen), seen) != seen);
    }
}
