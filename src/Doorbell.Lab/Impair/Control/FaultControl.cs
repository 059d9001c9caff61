using Doorbell.Lab.Impair.Faults;

namespace Doorbell.Lab.Impair.Control;

/// <summary>Changes the faults of a running proxy, a line at a time. Any thread may use it.</summary>
/// <param name="streams">Whether streams are carried; otherwise datagrams are.</param>
/// <param name="begin">The faults at the start.</param>
/// <param name="quit">Called when a line asks the proxy to end.</param>
public sealed class FaultControl(bool streams, BothFaults begin, Action quit)
{
    private readonly FaultWords _words = new(streams, "");
    private readonly Lock _lock = new();
    private BothFaults _now = begin;

    internal LiveFaults Up { get; } = new(begin.Up);

    internal LiveFaults Down { get; } = new(begin.Down);

    /// <summary>What is impaired now, in the words that would set it.</summary>
    public string Show() => _words.Show(Volatile.Read(ref _now));

    /// <summary>Does what a line says.</summary>
    /// <param name="line">
    /// Settings and values, as in <c>loss 10% delay 20ms</c>, or <c>show</c>, <c>help</c>, <c>clear</c>, <c>quit</c>.
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
                    + $"{_words.Names}, like, only; or show, clear, quit";
            case "clear":
                Change(static _ => BothFaults.None);
                return "ok";
            case "quit":
                quit();
                return "ok";
        }

        try
        {
            IReadOnlyList<(string Name, string Value)> settings = _words.Split(line);
            Change(now => _words.Apply(now, settings));
            return "ok";
        }
        catch (ArgumentException wrong)
        {
            return $"error: {wrong.Message}";
        }
    }

    private void Change(Func<BothFaults, BothFaults> change)
    {
        lock (_lock)
        {
            BothFaults faults = change(_now);
            Volatile.Write(ref _now, faults);
            Up.Set(faults.Up);
            Down.Set(faults.Down);
        }
    }
}
