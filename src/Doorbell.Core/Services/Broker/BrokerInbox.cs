using System.Collections.Concurrent;
using Doorbell.Sessions;

namespace Doorbell;

/// <summary>What the others have said to one member of a broker, and its lane has not yet taken to send.</summary>
/// <param name="bell">Rung when there is something.</param>
/// <param name="memory">Where what waits counts.</param>
/// <param name="mostBytes">With more, the member is too slow.</param>
internal sealed class BrokerInbox(Bell bell, HeldMemory memory, int mostBytes)
{
    /// <summary>What a piece costs beside its bytes: a peer may send one byte at a time.</summary>
    private const int PieceCost = 64;

    private readonly ConcurrentQueue<byte[]> _pieces = [];
    private int _held;
    private volatile bool _isOverfull;

    public bool IsEmpty => _pieces.IsEmpty;

    /// <summary>Another member has spoken; called on that one's thread.</summary>
    /// <param name="piece">Shared with the other members: nobody changes it.</param>
    public void Add(byte[] piece)
    {
        if (_isOverfull)
        {
            return;
        }

        if (Hold(piece.Length + PieceCost) > mostBytes)
        {
            // The member's lane does not come round as fast as bytes come, so the bound of its output alone would not hold.
            _isOverfull = true;
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

        while (_pieces.TryDequeue(out byte[]? piece))
        {
            Hold(-piece.Length - PieceCost);
            output.Write(piece);
        }
    }

    private int Hold(int bytes)
    {
        memory.Add(bytes);
        return Interlocked.Add(ref _held, bytes);
    }
}
