using Doorbell.Sessions;
using Microsoft.Extensions.Logging;

namespace Doorbell.Serving;

/// <summary>
/// The memory that all connections of a server hold for output and input: counts it, keeps it within
/// <see cref="ServerOptions.MaxBufferedBytes"/>, and gives it back to the system when it is not needed any more. Any thread may call any
/// member.
/// </summary>
internal sealed class ServerMemory : IDisposable
{
    /// <summary>
    /// When the budget is exceeded, so much less than it is held afterwards: a 64th. A look at all connections is then worth many that are
    /// asked.
    /// </summary>
    private const int SlackShare = 64;

    /// <summary>Looking costs at most one part in so many of a processor's time, however many connections there are.</summary>
    private const int LookShare = 5;

    /// <summary>While more is held than may be, all is looked at again so soon: lanes carry out within it what they are asked.</summary>
    private static readonly TimeSpan _lookAgainAfter = TimeSpan.FromMilliseconds(5);

    /// <summary>So long nobody has to have needed memory before it is given back: what comes and goes is kept.</summary>
    private const int CalmSeconds = 5;

    /// <summary>Less than this is not worth a collection.</summary>
    private const long WorthCollecting = 32 * 1024 * 1024;

    private readonly GreediestConnections _greediest;
    private readonly ILogger _log;
    private readonly LogThrottle _said = new();
    private readonly Timer _again;
    private int _looking;
    private int _untold;
    private long _peak;
    private int _calm;

    /// <param name="connections">Those of all lanes.</param>
    /// <param name="maxBytes">So much may they hold.</param>
    /// <param name="log">Where to say when that is not enough.</param>
    public ServerMemory(OpenConnections connections, long maxBytes, ILogger log)
    {
        _greediest = new GreediestConnections(connections);
        _log = log;
        Pool = new SharedPool(new BufferBudget(maxBytes, Exceeded));
        _again = new Timer(static memory => ((ServerMemory)memory!).AskGreediest(), this, Timeout.Infinite, Timeout.Infinite);
    }

    /// <summary>The memory of lanes that have no pool of their own, and the budget of all.</summary>
    public SharedPool Pool { get; }

    private BufferBudget Budget => Pool.Budget;

    /// <summary>Looks each second until <paramref name="aborting"/>.</summary>
    public Task RunAsync(CancellationToken aborting) => SecondTimer.RunAsync(Look, aborting);

    /// <summary>Once a second.</summary>
    /// <param name="now">On the monotonic scale.</param>
    public void Look(TimeSpan now)
    {
        long held = Budget.HeldBytes;
        _peak = Math.Max(_peak, held);
        _calm = held < _peak / 2 ? _calm + 1 : 0;
        if (_calm >= CalmSeconds && _peak - held >= WorthCollecting)
        {
            GiveToSystem(_peak - held);
            (_peak, _calm) = (held, 0);
        }
    }

    /// <summary>
    /// The arrays are garbage, and without a collection they would stay: a server at rest allocates nothing, so nothing makes the collector
    /// run. The cost is that of what lives, so it is spent only where what was freed is a good part of that.
    /// </summary>
    private void GiveToSystem(long freed)
    {
        Pool.DropIdle();
        Pool.DropIdle();
        if (freed >= GC.GetTotalMemory(forceFullCollection: false) / 4)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }

    public void Dispose() => _again.Dispose();

    /// <summary>
    /// More is held than may be. It is called while an array is being rented, which is nobody's yet: who holds the most is known when the
    /// one that rents has it, so another thread looks.
    /// </summary>
    private void Exceeded()
    {
        if (Interlocked.Exchange(ref _looking, 1) == 0)
        {
            _again.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Asks the greediest, and looks again until enough is given back.</summary>
    private void AskGreediest()
    {
        TimeSpan now = MonotonicClock.Now;
        long excess = Budget.HeldBytes - Budget.MaxBytes;
        if (excess > 0)
        {
            Say(_greediest.Ask(excess + (Budget.MaxBytes / SlackShare), now));
            _again.Change(((MonotonicClock.Now - now) * (LookShare - 1)) + _lookAgainAfter, Timeout.InfiniteTimeSpan);
            return;
        }

        _greediest.Forget();
        Interlocked.Exchange(ref _looking, 0);
        if (Budget.HeldBytes > Budget.MaxBytes)
        {
            Exceeded();
        }
    }

    private void Say(int asked)
    {
        _untold += asked;
        if (_untold > 0 && _said.MayLog())
        {
            ServerLog.BudgetExceeded(_log, Budget.MaxBytes, _untold);
            _untold = 0;
        }
    }
}
