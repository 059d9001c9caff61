using System.Collections.Concurrent;
using Doorbell.Sessions;

namespace Doorbell;

/// <summary>What the others have said to one member of a broker, and its lane has not yet taken to send.</summary>
/// <param name="bell">Rung when there is something.</param>
/// <param name="memory">Where what waits counts.</param>
/// <param name="mostBytes">With more, the member is too slow.</param>
/// <param name="pieces">Where the pieces go when they are read.</param>
internal sealed class BrokerInbox(Bell bell, HeldMemory memory, int mostBytes, FreeBrokerPieces pieces)
{
    /// <summary>What a piece costs beside its bytes: a peer may send one byte at a time.</summary>
    private const int PieceCost = 64;

    private readonly ConcurrentQueue<BrokerPiece> _pieces = [];
    private int _held;
    private volatile bool _isOverfull;

    public bool IsEmpty => _pieces.IsEmpty;

    /// <summary>Another member has spoken; called on that one's thread.</summary>
    /// <param name="piece">Shared with the other members. This one is its reader.</param>
    public void Add(BrokerPiece piece)
    {
        if (_isOverfull)
        {
            pieces.Release(piece);
            return;
        }

        if (Hold(piece.Length + PieceCost) > mostBytes)
        {
            // The member's lane does not come round as fast as bytes come, so the bound of its output alone would not hold.
            _isOverfull = true;
            pieces.Release(piece);
        }
        else
        {
            _pieces.Enqueue(piece);
        }

        bell.Ring();
    }

    /// <summary>Moves all to the end of the member's output.</summary>
    /// <exception cref="PendingOutputException">The member takes it too slowly.</exception>
    public void MoveTo(OutputBuffer output)
    {
        if (_isOverfull)
        {
            throw new PendingOutputException(output.Pending, Volatile.Read(ref _held), mostBytes);
        }

        while (_pieces.TryDequeue(out BrokerPiece? piece))
        {
            Hold(-piece.Length - PieceCost);
            try
            {
                output.Write(piece.Bytes);
            }
            finally
            {
                pieces.Release(piece);
            }
        }
    }

    /// <summary>The member has gone. What another tells it at this moment is left to the collector.</summary>
    public void Clear()
    {
        while (_pieces.TryDequeue(out BrokerPiece? piece))
        {
            pieces.Release(piece);
        }
    }

    private int Hold(int bytes)
    {
        memory.Add(bytes);
        return Interlocked.Add(ref _held, bytes);
    }
}
