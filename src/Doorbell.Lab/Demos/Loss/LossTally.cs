namespace Doorbell.Lab.Demos.Loss;

/// <summary>What became of the questions that were asked in one way at one loss. Its askers add to it at the same time.</summary>
public sealed class LossTally
{
    private readonly List<TimeSpan> _times = [];
    private int _asked;
    private int _doubled;

    /// <summary>How many questions were asked.</summary>
    public int Asked => _asked;

    /// <summary>How many of them were answered.</summary>
    public int Answered => _times.Count;

    /// <summary>Questions whose effect happened more than once, answered or not.</summary>
    public int Doubled => _doubled;

    /// <summary>The same as a share of those asked, 0 to 1.</summary>
    public double AnsweredShare => _asked == 0 ? 0 : (double)Answered / _asked;

    /// <summary>Counts a question.</summary>
    /// <param name="time">Until its answer; null if none came.</param>
    internal void Add(TimeSpan? time)
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

    internal void AddDoubled() => Interlocked.Increment(ref _doubled);

    /// <summary>How long answers took; null if there were none.</summary>
    /// <param name="percent">0 to 100.</param>
    public TimeSpan? Percentile(double percent)
    {
        _times.Sort();
        return _times.Count == 0 ? null : _times[(int)Math.Min(Math.Ceiling(percent / 100 * _times.Count), _times.Count) - 1];
    }
}
