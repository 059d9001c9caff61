namespace Doorbell;

/// <summary>Pieces that all have read, so that the next ones cost nothing. Any thread may call any member.</summary>
internal sealed class FreeBrokerPieces
{
    /// <summary>More than these are left to the collector; they hold no bytes.</summary>
    private const int Most = 64;

    private readonly BrokerPiece?[] _free = new BrokerPiece?[Most];

    /// <summary>One with these bytes; the caller is its first reader.</summary>
    public BrokerPiece Take(ReadOnlySpan<byte> bytes)
    {
        BrokerPiece? piece = null;
        for (int i = 0; i < _free.Length && piece is null; i++)
        {
            piece = Volatile.Read(ref _free[i]) is null ? null : Interlocked.Exchange(ref _free[i], null);
        }

        piece ??= new BrokerPiece();
        piece.Fill(bytes);
        return piece;
    }

    /// <summary>A reader has done with the piece.</summary>
    public void Release(BrokerPiece piece)
    {
        bool isFree = piece.Leave();
        for (int i = 0; isFree && i < _free.Length; i++)
        {
            isFree = Volatile.Read(ref _free[i]) is not null || Interlocked.CompareExchange(ref _free[i], piece, null) is not null;
        }
    }
}
