namespace Doorbell.Testing;

/// <summary>
/// A network in memory and in virtual time: streams between services and scripted clients. The seed decides how streams are cut, how
/// long each piece travels and what happens first, so the same seed and the same script give the same run. One thread uses it.
/// </summary>
public sealed class SimulatedNetwork
{
    private const int MostPending = 1_000_000;
    private readonly PriorityQueue<Action, (TimeSpan At, long Number)> _events = new();
    private readonly Dictionary<PeerAddress, SimulatedListener> _listeners = [];
    private readonly SeededRandom _random;
    private long _number;

    /// <summary>An empty network at time 0.</summary>
    /// <param name="seed">Decides what chance would.</param>
    public SimulatedNetwork(ulong seed)
    {
        Seed = seed;
        _random = new SeededRandom(seed);
        Random = new SeededRandom(_random.NextUInt64());
    }

    /// <summary>What its chances come from.</summary>
    public ulong Seed { get; }

    /// <summary>Chance for the script, from the same seed; the network's own is apart from it.</summary>
    public Random Random { get; }

    /// <summary>Virtual time since the network was made.</summary>
    public TimeSpan Now { get; private set; }

    /// <summary>A number made of all that has happened so far: the same after two runs that were the same.</summary>
    public ulong TraceHash { get; private set; } = 14695981039346656037;

    /// <summary>Serves streams at an address.</summary>
    /// <param name="address">Not yet listened on.</param>
    /// <param name="service">What to serve.</param>
    /// <exception cref="ArgumentException">The address is in use, or the service does not speak over streams.</exception>
    public SimulatedListener ListenStream(PeerAddress address, Service service)
    {
        SimulatedListener listener = new(this, service);
        _listeners.Add(address, listener);
        return listener;
    }

    /// <summary>Connects a scripted client. Refused if nobody listens.</summary>
    /// <param name="from">The client's address.</param>
    /// <param name="to">The service's.</param>
    public SimulatedClient ConnectStream(PeerAddress from, PeerAddress to)
    {
        StreamDirection there = new(this, Fork());
        StreamDirection back = new(this, Fork());
        SimulatedClient client = new(this, new StreamEnd(back, there));
        if (_listeners.TryGetValue(to, out SimulatedListener? listener))
        {
            After(Travel(_random), () => listener.Accept(from, new StreamEnd(there, back)));
        }
        else
        {
            After(Travel(_random), back.Reset);
        }

        return client;
    }

    /// <summary>Does something later.</summary>
    /// <param name="wait">From now; not negative.</param>
    /// <param name="action">What.</param>
    /// <exception cref="InvalidOperationException">A million events are pending already.</exception>
    public void After(TimeSpan wait, Action action)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(wait, TimeSpan.Zero);
        if (_events.Count >= MostPending)
        {
            throw new InvalidOperationException($"More than {MostPending} events are pending.");
        }

        _events.Enqueue(action, (Now + wait, _number++));
    }

    /// <summary>Runs until nothing is left to happen, every time-out on the way included.</summary>
    /// <param name="mostEvents">A bound, so that a run that never settles fails the test.</param>
    /// <exception cref="InvalidOperationException">There was always something more to do.</exception>
    public void RunUntilIdle(int mostEvents = 10_000_000)
    {
        for (int i = 0; _events.TryDequeue(out Action? action, out (TimeSpan At, long) time); i++)
        {
            if (i >= mostEvents)
            {
                throw new InvalidOperationException($"The network has not settled after {mostEvents} events.");
            }

            Now = time.At;
            action();
        }
    }

    /// <summary>Runs what happens until a time, which it then is.</summary>
    /// <param name="time">On <see cref="Now"/>'s scale.</param>
    public void Run(TimeSpan time)
    {
        while (_events.TryPeek(out Action? action, out (TimeSpan At, long) next) && next.At <= time)
        {
            _events.Dequeue();
            Now = next.At;
            action();
        }

        Now = time > Now ? time : Now;
    }

    /// <summary>Between a tenth of a millisecond and two.</summary>
    internal static TimeSpan Travel(SeededRandom random) => TimeSpan.FromTicks(1_000 + random.Next(19_000));

    internal SeededRandom Fork() => new(_random.NextUInt64());

    internal void Trace(long value) => TraceHash = (((TraceHash ^ (ulong)value) * 1099511628211) ^ (ulong)Now.Ticks) * 1099511628211;
}
