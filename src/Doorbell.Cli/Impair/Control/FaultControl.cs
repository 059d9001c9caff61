namespace Doorbell.Cli.Impair;

/// <summary>Changes the faults of a running proxy, a line at a time. Any thread may use it.</summary>
internal sealed class FaultControl(FaultWords words, BothFaults begin, Action quit)
{
    private readonly Lock _lock = new();
    private BothFaults _now = begin;

    public LiveFaults Up { get; } = new(begin.Up);

    public LiveFaults Down { get; } = new(begin.Down);

    /// <summary>What is impaired now, in the words that would set it.</summary>
    public string Show() => words.Show(Volatile.Read(ref _now));

    /// <summary>Does what a line says.</summary>
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
                return $"give settings and values, as in {words.Example}, one for both ways or UP/DOWN, off to end one; there are "
                    + $"{words.Names}, like, only; or show, clear, quit";
            case "clear":
                Change(static _ => BothFaults.None);
                return "ok";
            case "quit":
                quit();
                return "ok";
        }

        try
        {
            IReadOnlyList<(string Name, string Value)> settings = words.Split(line);
            Change(now => words.Apply(now, settings));
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
