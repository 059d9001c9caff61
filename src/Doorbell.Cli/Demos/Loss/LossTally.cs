namespace Doorbell.Cli;

/// <summary>What became of the questions that were asked in one way at one loss. Its askers add to it at the same time.</summary>
internal sealed class LossTally
{
    private readonly List<TimeSpan> _times = [];
    private int _asked;
    private int _doubled;

    public int Asked => _asked;

    public int Answered => _times.Count;

    /// <summary>Questions whose effect happened more than once, answered or not.</summary>
    public int Doubled => _doubled;

    public double AnsweredShare => _asked == 0 ? 0 : (double)Answered / _asked;

    /// <param name="time">Until its answer; null if none came.</param>
    public void Add(TimeSpan? time)
    {
        lock (_times)
        {
            _asked++;
            if (time is { } answered)
            {
                _times.Add(answered);
            }
        }
    }

    public void AddDoubled() => Interlocked.Increment(ref _doubled);

    /// <summary>How long answers took; null if there were none.</summary>
    /// <param name="percent">0 to 100.</param>
    public TimeSpan? Percentile(double percent)
    {
        _times.Sort();
        return _times.Count == 0 ? null : _times[(int)Math.Min(Math.Ceiling(percent / 100 * _times.Count), _times.Count) - 1];
    }
}
