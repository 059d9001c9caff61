using Doorbell.Lab.Impair.Proxies;

namespace Doorbell.Cli.Printing.Impair;

/// <summary>How much passes one direction a second, from readings that follow each other.</summary>
internal sealed class WayRates
{
    private const int Figures = 40;

    private readonly Sparkline _forwards = new(Figures);
    private WayReading? _last;
    private TimeSpan _lastAt;

    public WayReading? Last => _last;

    public double Received { get; private set; }

    public double Forwarded { get; private set; }

    public double Dropped { get; private set; }

    /// <summary>What was forwarded, lately.</summary>
    public string History => _forwards.ToString();

    public void Add(WayReading reading, TimeSpan now)
    {
        if (_last is { } last)
        {
            double seconds = Math.Max((now - _lastAt).TotalSeconds, 0.001);
            Received = (reading.Received - last.Received) / seconds;
            Forwarded = (reading.Forwarded - last.Forwarded) / seconds;
            Dropped = (reading.Dropped - last.Dropped) / seconds;
            _forwards.Add(Forwarded);
        }

        _last = reading;
        _lastAt = now;
    }
}
