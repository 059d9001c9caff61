using Doorbell.Lab.Impair.Faults;
using Doorbell.Lab.Impair.Scenarios;
using Doorbell.Serving;

namespace Doorbell.Lab.Impair.Control;

/// <summary>Changes the faults of a running proxy, a line at a time or as a scenario says. Any thread may use it.</summary>
/// <param name="streams">Whether streams are carried; otherwise datagrams are.</param>
/// <param name="begin">The faults at the start.</param>
/// <param name="quit">Called when a line asks the proxy to end.</param>
public sealed class FaultControl(bool streams, BothFaults begin, Action quit)
{
    private readonly FaultWords _words = new(streams, "");
    private readonly FaultTimeline _timeline = new(new FaultWords(streams, ""), begin);
    private readonly Lock _lock = new();
    private BothFaults _now = begin;

    /// <summary>Rings when the timeline goes on; null while nobody carries.</summary>
    private ITimer? _timer;

    /// <summary>What is set by the clock, from the moment at which the proxy runs. Default nothing.</summary>
    public IReadOnlyList<ScenarioStep> Scenario { get; init; } = [];

    internal LiveFaults Up { get; } = new(begin.Up);

    internal LiveFaults Down { get; } = new(begin.Down);

    /// <summary>What is impaired now, in the words that would set it.</summary>
    public string Show() => _words.Show(Volatile.Read(ref _now));

    /// <summary>Does what a line says.</summary>
    /// <param name="line">
    /// Settings and values, as in <c>loss 10% delay 20ms</c>, perhaps with a time, as in <c>at 5s loss 10% for 10s</c>; or <c>show</c>,
    /// <c>help</c>, <c>clear</c>, <c>quit</c>.
    /// </param>
    /// <returns><c>ok</c>, what was asked for, or <c>error:</c> and why; always one line.</returns>
    public string Answer(string line)
    {
        switch (line.Trim())
        {
            case "":
                return "ok";
            case "show":
                return Show();
            case "help":
                return $"give settings and values, as in {_words.Example}, one for both ways or UP/DOWN, off to end one; there are "
                    + $"{_words.Names}, like, only; at TIME before them, for TIME behind them; or show, clear, quit";
            case "quit":
                quit();
                return "ok";
        }

        try
        {
            Play([Scenarios.Scenario.ParseLine(line, _words)]);
            return "ok";
        }
        catch (ArgumentException wrong)
        {
            return $"error: {wrong.Message}";
        }
    }

    /// <summary>Sets what is due at its time, from now on.</summary>
    internal async Task KeepTimeAsync(CancellationToken stop)
    {
        await using ITimer timer = TimeProvider.System.CreateTimer(
            _ => Play([]), state: null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        lock (_lock)
        {
            _timer = timer;
        }

        Play(Scenario);
        await Task.Delay(Timeout.InfiniteTimeSpan, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_lock)
        {
            _timer = null;
        }
    }

    private void Play(IReadOnlyList<ScenarioStep> steps)
    {
        lock (_lock)
        {
            TimeSpan now = MonotonicClock.Now;
            foreach (ScenarioStep step in steps)
            {
                _timeline.Add(step, now);
            }

            TimeSpan next = _timeline.Advance(now);
            if (next != TimeSpan.MaxValue)
            {
                // A timer counts in milliseconds: rounded up, so that it is not early.
                _timer?.Change(TimeSpan.FromMilliseconds(Math.Ceiling((next - now).TotalMilliseconds)), Timeout.InfiniteTimeSpan);
            }

            if (_timeline.Now != _now)
            {
                Volatile.Write(ref _now, _timeline.Now);
                Up.Set(_now.Up);
                Down.Set(_now.Down);
            }
        }
    }
}
