namespace Doorbell.Lab.Models;

/// <summary>How the time of a run is shared out.</summary>
/// <param name="Seconds">About how long the run takes.</param>
/// <param name="Models">How many models take part.</param>
public sealed record Schedule(double Seconds, int Models)
{
    /// <summary>Each round measures every model, one after the other, so that what disturbs the machine disturbs them all.</summary>
    public const int Rounds = 5;

    private const double ShareOfLoad = 0.55;
    private const double ShareUntilLoadEnds = 0.7; // the starts, the idle connections and the load; the rest is the slow clients'
    private const double LeastShareOfSlice = 0.125; // shorter, a slice would measure its own beginning
    private const double WaitsInARun = 80; // at the cap: most of the slow clients' part

    /// <summary>How long one kind of work lasts in one round of one model, if the machine has nothing else to do.</summary>
    public TimeSpan Slice => TimeSpan.FromSeconds(Seconds * ShareOfLoad / (Rounds * Models * 2));

    /// <summary>
    /// How long one kind of work lasts from now on. On a busy machine all that surrounds a slice takes longer than planned; the slices
    /// that are left are cut so that the run takes about the time that was asked for.
    /// </summary>
    /// <param name="elapsed">Since the run began.</param>
    /// <param name="roundsLeft">Of <see cref="Rounds"/>, with the one that begins now.</param>
    public TimeSpan SliceFrom(TimeSpan elapsed, int roundsLeft)
    {
        TimeSpan left = TimeSpan.FromSeconds(Seconds * ShareUntilLoadEnds) - elapsed;
        TimeSpan share = left / (roundsLeft * Models * 2);
        TimeSpan least = Slice * LeastShareOfSlice;
        return share < least ? least : share < Slice ? share : Slice;
    }

    /// <summary>When the run is given up.</summary>
    public TimeSpan Max => TimeSpan.FromSeconds(Math.Max(Seconds * 1.5, Seconds + 20));

    /// <summary>A warm-up before the first round.</summary>
    public TimeSpan WarmUp => Slice / 2;

    /// <summary>How long a new client waits at most.</summary>
    public TimeSpan Cap => TimeSpan.FromSeconds(Math.Min(Seconds / WaitsInARun, 0.5));
}
