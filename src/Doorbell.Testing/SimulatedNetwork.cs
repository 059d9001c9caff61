using System.Buffers.Binary;

namespace Doorbell.Testing;

/// <summary>
/// A network in memory and in virtual time: streams and datagrams between services, scripted peers and pure state machines. The seed
/// decides how streams are cut, how long what is sent travels, what is lost and what happens first, so the same seed and the same script
/// give the same run. One thread uses it.
/// </summary>
public sealed partial class SimulatedNetwork
{
    private const int MaxPending = 1_000_000;

    /// <summary>Time must move on after so many events, or something sets itself off again and again.</summary>
    private const int MaxAtOneMoment = 10_000_000;
    private readonly EventQueue _events = new();
    private readonly SeededRandom _random;
    private int _atThisMoment;

    /// <summary>An empty network at time 0.</summary>
    /// <param name="seed">Decides what chance would.</param>
    public SimulatedNetwork(ulong seed)
    {
        Seed = seed;
        _random = new SeededRandom(seed);
        Random = new SeededRandom(_random.NextUInt64());
        Datagrams = new DatagramCarrier(this);
    }

    /// <summary>What its chances come from.</summary>
    public ulong Seed { get; }

    /// <summary>Chance for the script, from the same seed; the network's own is apart from it.</summary>
    public Random Random { get; }

    /// <summary>Virtual time since the network was made.</summary>
    public TimeSpan Now { get; private set; }

    /// <summary>A number made of all that has happened so far: the same after two runs that were the same.</summary>
    public ulong TraceHash { get; private set; } = 14695981039346656037;

    /// <summary>Does something later.</summary>
    /// <param name="wait">From now; not negative.</param>
    /// <param name="action">What.</param>
    /// <exception cref="InvalidOperationException">A million events are pending already.</exception>
    public void After(TimeSpan wait, Action action)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(wait, TimeSpan.Zero);
        At(Now + wait, action, 0);
    }

    /// <summary>Runs until nothing is left to happen, every time-out on the way included.</summary>
    /// <param name="mostEvents">A bound, so that a run that never settles fails the test.</param>
    /// <exception cref="InvalidOperationException">There was always something more to do.</exception>
    public void RunUntilIdle(int mostEvents = 10_000_000)
    {
        for (int i = 0; _events.Count > 0; i++)
        {
            if (i >= mostEvents)
            {
                throw new InvalidOperationException($"The network has not settled after {mostEvents} events.");
            }

            HappenNext();
        }
    }

    /// <summary>Runs what happens until a time, which it then is.</summary>
    /// <param name="time">On <see cref="Now"/>'s scale.</param>
    /// <exception cref="InvalidOperationException">Ten million events have happened at one moment.</exception>
    public void Run(TimeSpan time)
    {
        while (_events.Count > 0 && _events.NextAt <= time)
        {
            HappenNext();
        }

        Now = time > Now ? time : Now;
    }

    /// <summary>Schedules an event.</summary>
    /// <param name="time">Not before now.</param>
    /// <param name="target">An <see cref="IScheduled"/>, or an <see cref="Action"/>.</param>
    /// <param name="what">For the first of these.</param>
    internal void At(TimeSpan time, object target, int what)
    {
        if (_events.Count >= MaxPending)
        {
            throw new InvalidOperationException($"More than {MaxPending} events are pending.");
        }

        _events.Enqueue(time, target, what);
    }

    internal SeededRandom Fork() => new(_random.NextUInt64());

    internal void Trace(long value) => TraceHash = (((TraceHash ^ (ulong)value) * 1099511628211) ^ (ulong)Now.Ticks) * 1099511628211;

    internal void Trace(ReadOnlySpan<byte> bytes)
    {
        Trace(bytes.Length);
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
        {
            Trace(BinaryPrimitives.ReadInt64LittleEndian(bytes));
        }

        foreach (byte value in bytes)
        {
            Trace(value);
        }
    }

    private void HappenNext()
    {
        EventQueue.Entry next = _events.Dequeue();
        TimeSpan at = new(next.At);
        _atThisMoment = at == Now ? _atThisMoment + 1 : 0;
        if (_atThisMoment > MaxAtOneMoment)
        {
            throw new InvalidOperationException($"{MaxAtOneMoment} events have happened at {Now}, and there are always more.");
        }

        Now = at;
        next.Happen();
    }
}
