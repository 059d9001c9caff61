using Doorbell.Sessions;

namespace Doorbell;

/// <summary>The one place that counts: every connection, byte, datagram and loss of a server. Read it with <see cref="Read"/>.</summary>
/// <remarks>
/// Any thread may call any member. Sessions add once a turn, so that a request costs a few additions. A server's ledger is the
/// sum of its own counts and those of the processes that serve for it; see <see cref="Include"/>.
/// </remarks>
public sealed class Ledger
{
    private static readonly int _reasons = Enum.GetValues<CloseReason>().Length;
    private static readonly int _drops = Enum.GetValues<DatagramDrop>().Length;
    private static readonly int _firstReason = Enum.GetValues<Count>().Length;

    private static readonly int _firstCounter = _firstReason + _reasons + _drops;

    private readonly LedgerCounter[] _counters;
    private readonly Memory<long> _cells;
    private readonly bool _oneThread;
    private Ledger[] _parts = [];

    /// <summary>The most counters that the services of one ledger may have together: 64.</summary>
    public const int MaxCounters = 64;

    /// <summary>A ledger of this process alone.</summary>
    /// <param name="counters">What its services count beside connections, bytes and datagrams.</param>
    public Ledger(params IReadOnlyList<LedgerCounter> counters)
        : this(new long[CellCount], counters)
    {
    }

    /// <summary>A ledger kept in memory that other processes read and add to as well.</summary>
    /// <param name="cells">At least <see cref="CellCount"/> numbers, 0 at first; kept.</param>
    /// <param name="counters">What its services count beside; the same, in the same order, in each of those processes.</param>
    /// <exception cref="ArgumentException">Fewer cells, or more than <see cref="MaxCounters"/> counters.</exception>
    public Ledger(Memory<long> cells, IReadOnlyList<LedgerCounter> counters)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(counters.Count, MaxCounters, nameof(counters));
        _counters = [.. counters];
        ArgumentOutOfRangeException.ThrowIfLessThan(cells.Length, CellCount, nameof(cells));
        _cells = cells[..CellCount];
    }

    private Ledger(IReadOnlyList<LedgerCounter> counters, bool oneThread)
        : this(counters) => _oneThread = oneThread;

    private enum Count
    {
        Opened,
        Refused,
        Requests,
        BytesReceived,
        BytesSent,
        BytesDiscarded,
        BytesUnsent,
        DatagramsReceived,
        DatagramsSent,
        DatagramFaults,
        AcceptErrors,
        ProcessesLost,
        CallsAfterClose,
        Connected,
        Denied,
        RefusedOpen,
        OutgoingRefused,
    }

    /// <summary>How many numbers a ledger is.</summary>
    public static int CellCount => _firstCounter + MaxCounters;

    /// <summary>The counters of its services, in the order of <see cref="LedgerSnapshot.Counters"/>.</summary>
    public IReadOnlyList<LedgerCounter> Counters => _counters;

    /// <summary>The counts so far. Each is exact; together they are of nearly the same moment.</summary>
    public LedgerSnapshot Read()
    {
        long[] sum = new long[CellCount];
        AddTo(sum);
        return new LedgerSnapshot
        {
            ConnectionsOpened = sum[(int)Count.Opened],
            ConnectionsClosed = sum[_firstReason..(_firstReason + _reasons)],
            ConnectionsConnected = sum[(int)Count.Connected],
            ConnectionsRefused = sum[(int)Count.Refused],
            OutgoingRefused = sum[(int)Count.OutgoingRefused],
            ConnectionsDenied = sum[(int)Count.Denied],
            RefusedOpen = sum[(int)Count.RefusedOpen],
            Requests = sum[(int)Count.Requests],
            BytesReceived = sum[(int)Count.BytesReceived],
            BytesSent = sum[(int)Count.BytesSent],
            BytesDiscarded = sum[(int)Count.BytesDiscarded],
            BytesUnsent = sum[(int)Count.BytesUnsent],
            DatagramsReceived = sum[(int)Count.DatagramsReceived],
            DatagramsSent = sum[(int)Count.DatagramsSent],
            DatagramsDropped = sum[(_firstReason + _reasons).._firstCounter],
            DatagramFaults = sum[(int)Count.DatagramFaults],
            AcceptErrors = sum[(int)Count.AcceptErrors],
            ProcessesLost = sum[(int)Count.ProcessesLost],
            CallsAfterClose = sum[(int)Count.CallsAfterClose],
            Counters = _counters.Index().ToDictionary(static at => at.Item.Name, at => sum[_firstCounter + at.Index]),
        };
    }

    /// <summary>Makes another ledger's counts part of this one's, from its first to its last.</summary>
    /// <param name="part">Another; kept.</param>
    public void Include(Ledger part)
    {
        Ledger[] before;
        do
        {
            before = _parts;
        }
        while (Interlocked.CompareExchange(ref _parts, [.. before, part], before) != before);
    }

    /// <summary>
    /// A part of this one for a lane: any thread may read it, but only one may count in it, which then costs no locked additions and
    /// shares no line of memory with other lanes.
    /// </summary>
    public Ledger PartOfOneThread()
    {
        Ledger part = new(_counters, oneThread: true);
        Include(part);
        return part;
    }

    /// <summary>Who counted here is gone without ending its connections: counts them as closed.</summary>
    /// <param name="reason">Why.</param>
    public void Abandon(CloseReason reason)
    {
        Span<long> cells = _cells.Span;
        long open = Volatile.Read(ref cells[(int)Count.Opened]) + Volatile.Read(ref cells[(int)Count.Connected]);
        for (int i = 0; i < _reasons; i++)
        {
            open -= i == (int)CloseReason.ConnectFailed ? 0 : Volatile.Read(ref cells[_firstReason + i]);
        }

        Interlocked.Add(ref cells[_firstReason + (int)reason], open);
    }

    /// <summary>accept(2) failed, or what it gave could not be used.</summary>
    public void AcceptFailed() => Add(Count.AcceptErrors, 1);

    /// <summary>A process that served, or that was to serve, ended otherwise than by itself in order.</summary>
    public void ProcessLost() => Add(Count.ProcessesLost, 1);

    /// <summary>A connection was accepted and closed, since there were too many.</summary>
    public void ConnectionRefused() => Add(Count.Refused, 1);

    /// <summary>
    /// A connection that a handler asked for was not begun, since as many are open as may be. It is counted as
    /// <see cref="CloseReason.ConnectFailed"/> too.
    /// </summary>
    public void OutgoingRefused() => Add(Count.OutgoingRefused, 1);

    /// <summary>A connection was accepted and closed, since its door denies its address.</summary>
    public void ConnectionDenied() => Add(Count.Denied, 1);

    /// <summary>
    /// The connection just refused or denied had been opened: a layer named its address. It is closed as
    /// <see cref="CloseReason.PeerRefused"/> too, and is one error all the same.
    /// </summary>
    public void RefusedWhenOpen() => Add(Count.RefusedOpen, 1);

    /// <summary>A session that was over was told something.</summary>
    internal void CalledAfterClose() => Add(Count.CallsAfterClose, 1);

    /// <summary>A connection is served.</summary>
    public void ConnectionOpened() => Add(Count.Opened, 1);

    /// <summary>A connection that a handler asked for is connected and served.</summary>
    public void ConnectionConnected() => Add(Count.Connected, 1);

    /// <summary>
    /// A connection that was opened is over; or, with <see cref="CloseReason.ConnectFailed"/>, one that a handler asked for was never
    /// opened.
    /// </summary>
    /// <param name="reason">Why.</param>
    public void ConnectionClosed(CloseReason reason) => Add(_cells.Span, _firstReason + (int)reason, 1);

    /// <summary>Bytes that moved on a connection whose bytes no session counted.</summary>
    /// <param name="received">From the peer.</param>
    /// <param name="sent">To the peer.</param>
    public void BytesMoved(long received, long sent)
    {
        Add(Count.BytesReceived, received);
        Add(Count.BytesSent, sent);
    }

    /// <summary>A datagram, received or to be sent, has been lost on this side.</summary>
    /// <param name="why">Why.</param>
    public void DatagramDropped(DatagramDrop why) => Add(_cells.Span, _firstReason + _reasons + (int)why, 1);

    /// <summary>Several datagrams have been lost on this side.</summary>
    /// <param name="why">Why.</param>
    /// <param name="count">How many.</param>
    public void DatagramsDropped(DatagramDrop why, long count) =>
        Interlocked.Add(ref _cells.Span[_firstReason + _reasons + (int)why], count);

    /// <summary>The kernel has taken a datagram.</summary>
    /// <param name="bytes">Its length.</param>
    public void DatagramSent(int bytes) => DatagramsSent(1, bytes);

    /// <summary>The kernel has taken several datagrams.</summary>
    /// <param name="count">How many.</param>
    /// <param name="bytes">Their length together.</param>
    public void DatagramsSent(long count, long bytes)
    {
        Add(Count.DatagramsSent, count);
        Add(Count.BytesSent, bytes);
    }

    /// <summary>A datagram was received and handled.</summary>
    /// <param name="bytes">Its length.</param>
    /// <param name="requests">How many messages it held.</param>
    public void DatagramReceived(int bytes, long requests)
    {
        Add(Count.DatagramsReceived, 1);
        Add(Count.BytesReceived, bytes);
        Add(Count.Requests, requests);
    }

    internal void DatagramFaulted() => Add(Count.DatagramFaults, 1);

    internal void Add(in DatagramTally tally)
    {
        Add(Count.DatagramsReceived, tally.Datagrams);
        Add(Count.BytesReceived, tally.Bytes);
        Add(Count.Requests, tally.Requests);
        if (tally.Truncated != 0)
        {
            DatagramsDropped(DatagramDrop.Truncated, tally.Truncated);
        }
    }

    /// <summary>Adds to one of the <see cref="Counters"/>.</summary>
    /// <param name="counter">One of them.</param>
    /// <param name="more">How many; not negative.</param>
    /// <exception cref="ArgumentException">No service of this ledger lists it.</exception>
    public void Add(LedgerCounter counter, long more)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(more);
        int at = 0;
        while (at < _counters.Length && _counters[at].Name != counter.Name)
        {
            at++;
        }

        if (at == _counters.Length)
        {
            throw new ArgumentException(
                $"The counter {counter.Name} is none of this ledger's: its service has to list it.", nameof(counter));
        }

        Add(_cells.Span, _firstCounter + at, more);
    }

    internal void Add(in StreamTally tally)
    {
        Span<long> cells = _cells.Span;
        Add(cells, (int)Count.Requests, tally.Requests);
        Add(cells, (int)Count.BytesReceived, tally.BytesReceived);
        Add(cells, (int)Count.BytesSent, tally.BytesSent);
        Add(cells, (int)Count.BytesDiscarded, tally.BytesDiscarded);
        Add(cells, (int)Count.BytesUnsent, tally.BytesUnsent);
    }

    private void Add(Count count, long more) => Add(_cells.Span, (int)count, more);

    private void Add(Span<long> cells, int at, long more)
    {
        if (more == 0)
        {
            return;
        }

        if (_oneThread)
        {
            Volatile.Write(ref cells[at], cells[at] + more);
        }
        else
        {
            Interlocked.Add(ref cells[at], more);
        }
    }

    private void AddTo(long[] sum)
    {
        Span<long> cells = _cells.Span;
        for (int i = 0; i < sum.Length; i++)
        {
            sum[i] += Volatile.Read(ref cells[i]);
        }

        foreach (Ledger part in Volatile.Read(ref _parts))
        {
            part.AddTo(sum);
        }
    }
}
