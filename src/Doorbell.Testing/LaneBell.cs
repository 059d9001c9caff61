namespace Doorbell.Testing;

/// <summary>A bell that any thread may ring; it remembers, and tells the network once until it is taken.</summary>
internal sealed class LaneBell(Action? rung) : Bell
{
    private int _rung;

    public bool IsRung => Volatile.Read(ref _rung) != 0;

    public override void Ring()
    {
        if (Interlocked.Exchange(ref _rung, 1) == 0)
        {
            rung?.Invoke();
        }
    }

    public void Take() => Volatile.Write(ref _rung, 0);
}
