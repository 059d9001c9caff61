namespace Doorbell.Lab.Load;

/// <summary>Counts what came of the requests. Times are nanoseconds on the monotonic clock. The load's thread alone uses it.</summary>
internal sealed class LoadTally
{
    /// <summary>Of the piece that is being counted: answers that are measured, and others.</summary>
    private readonly LatencyHistogram _measured = new();
    private readonly LatencyHistogram _others = new();
    private readonly Dictionary<string, long> _errors = [];
    private readonly List<LoadInterval> _intervals = [];
    private readonly long _length;
    private long _begun;
    private long _intervalBegun;
    private long _failedBefore;
    private long _from = long.MaxValue;
    private long _to = long.MaxValue;

    /// <param name="interval">How long each piece of the picture is.</param>
    public LoadTally(TimeSpan interval) => _length = (long)interval.TotalNanoseconds;

    /// <summary>Of the pieces that have ended.</summary>
    public LatencyHistogram Latency { get; } = new();

    public long Requests => Latency.Count + _measured.Count;

    public long BytesSent { get; private set; }

    public long BytesReceived { get; private set; }

    public long Failures { get; private set; }

    public IReadOnlyDictionary<string, long> Errors => _errors;

    public IReadOnlyList<LoadInterval> Intervals => _intervals;

    /// <summary>When the piece that is being counted ends.</summary>
    public long IntervalEnd => _intervalBegun + _length;

    /// <summary>Questions that are due in this time are measured.</summary>
    public void Begin(long now, long from, long to)
    {
        _begun = _intervalBegun = now;
        (_from, _to) = (from, to);
    }

    /// <summary>It ends earlier.</summary>
    public void EndAt(long to) => _to = Math.Min(_to, to);

    /// <summary>A right answer.</summary>
    /// <param name="since">When its question was due.</param>
    /// <param name="now">The time.</param>
    /// <param name="sent">The question's bytes.</param>
    /// <param name="received">The answer's.</param>
    public void Answered(long since, long now, int sent, long received)
    {
        if (since >= _from && since < _to)
        {
            _measured.Add(now - since);
            BytesSent += sent;
            BytesReceived += received;
        }
        else
        {
            _others.Add(now - since);
        }
    }

    /// <summary>Requests failed.</summary>
    public void Failed(string kind, long count)
    {
        if (count > 0)
        {
            _errors[kind] = _errors.GetValueOrDefault(kind) + count;
            Failures += count;
        }
    }

    /// <summary>Ends a piece of the picture and begins the next.</summary>
    public LoadInterval EndInterval(long now)
    {
        Latency.Add(_measured);
        _measured.Add(_others);
        LoadInterval ended = new(
            Nanoseconds.ToTime(_intervalBegun - _begun), Nanoseconds.ToTime(Math.Max(now - _intervalBegun, 1000)), _measured.Count,
            Failures - _failedBefore, _measured.Percentile(50), _measured.Percentile(99), _measured.Max);
        _intervals.Add(ended);
        _measured.Clear();
        _others.Clear();
        _intervalBegun = now;
        _failedBefore = Failures;
        return ended;
    }
}
