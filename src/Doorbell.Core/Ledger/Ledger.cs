namespace Doorbell;

/// <summary>The one place that counts: every connection, byte, datagram and loss of a server. Read it with <see cref="Read"/>.</summary>
/// <remarks>Any thread may call any member. Sessions add once a turn, so that a request costs a few additions.</remarks>
public sealed class Ledger
{
    private static readonly int _reasons = Enum.GetValues<CloseReason>().Length;
    private static readonly int _drops = Enum.GetValues<DatagramDrop>().Length;

    private readonly long[] _closedBy = new long[_reasons];
    private readonly long[] _droppedBy = new long[_drops];
    private long _opened;
    private long _requests;
    private long _bytesReceived;
    private long _bytesSent;
    private long _bytesDiscarded;
    private long _bytesUnsent;
    private long _datagramsReceived;
    private long _datagramsSent;
    private long _acceptErrors;
    private long _datagramFaults;

    /// <summary>The counts so far. Each is exact; together they are of nearly the same moment.</summary>
    public LedgerSnapshot Read() => new()
    {
        ConnectionsOpened = Volatile.Read(ref _opened),
        ConnectionsClosed = Copy(_closedBy),
        Requests = Volatile.Read(ref _requests),
        BytesReceived = Volatile.Read(ref _bytesReceived),
        BytesSent = Volatile.Read(ref _bytesSent),
        BytesDiscarded = Volatile.Read(ref _bytesDiscarded),
        BytesUnsent = Volatile.Read(ref _bytesUnsent),
        DatagramsReceived = Volatile.Read(ref _datagramsReceived),
        DatagramsSent = Volatile.Read(ref _datagramsSent),
        DatagramsDropped = Copy(_droppedBy),
        DatagramFaults = Volatile.Read(ref _datagramFaults),
        AcceptErrors = Volatile.Read(ref _acceptErrors),
    };

    /// <summary>accept(2) failed.</summary>
    public void AcceptFailed() => Interlocked.Increment(ref _acceptErrors);

    /// <summary>A datagram, received or to be sent, has been lost on this side.</summary>
    /// <param name="why">Why.</param>
    public void DatagramDropped(DatagramDrop why) => Interlocked.Increment(ref _droppedBy[(int)why]);

    /// <summary>The kernel has taken a datagram.</summary>
    /// <param name="bytes">Its length.</param>
    public void DatagramSent(int bytes)
    {
        Interlocked.Increment(ref _datagramsSent);
        Interlocked.Add(ref _bytesSent, bytes);
    }

    internal void ConnectionOpened() => Interlocked.Increment(ref _opened);

    internal void ConnectionClosed(CloseReason reason) => Interlocked.Increment(ref _closedBy[(int)reason]);

    internal void DatagramFaulted() => Interlocked.Increment(ref _datagramFaults);

    internal void DatagramReceived(int bytes, long requests)
    {
        Interlocked.Increment(ref _datagramsReceived);
        Interlocked.Add(ref _bytesReceived, bytes);
        Add(ref _requests, requests);
    }

    internal void Add(in StreamTally tally)
    {
        Add(ref _requests, tally.Requests);
        Add(ref _bytesReceived, tally.BytesReceived);
        Add(ref _bytesSent, tally.BytesSent);
        Add(ref _bytesDiscarded, tally.BytesDiscarded);
        Add(ref _bytesUnsent, tally.BytesUnsent);
    }

    private static void Add(ref long count, long more)
    {
        if (more != 0)
        {
            Interlocked.Add(ref count, more);
        }
    }

    private static long[] Copy(long[] counts)
    {
        long[] copy = new long[counts.Length];
        for (int i = 0; i < counts.Length; i++)
        {
            copy[i] = Volatile.Read(ref counts[i]);
        }

        return copy;
    }
}
