namespace Doorbell.Lab.Impair.Proxies;

/// <summary>
/// A proxy that is a bad network: it carries datagrams or streams from clients to an upstream and back, and does to them what its
/// faults say. <see cref="ImpairBinding.BindAsync"/> makes one. Any thread may read what has passed.
/// </summary>
public abstract class ImpairProxy : IAsyncDisposable
{
    private protected ImpairProxy(ImpairOptions options) => Options = options;

    /// <summary>Where clients come to, with the actual addresses and ports. A name may stand for several.</summary>
    public abstract IReadOnlyList<Endpoint> Endpoints { get; }

    /// <summary>What the readings count: <c>datagrams</c> or <c>bytes</c>.</summary>
    public abstract string Unit { get; }

    /// <summary>What was asked for.</summary>
    protected ImpairOptions Options { get; }

    /// <summary>Carries, and changes the faults by the clock if they have a scenario, until it is stopped.</summary>
    /// <param name="stop">Stops it. A connection that is open then is reset.</param>
    /// <exception cref="NetworkException">A listener can't go on.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task time = Options.Faults.KeepTimeAsync(over.Token);
        try
        {
            await CarryAsync(stop).ConfigureAwait(false);
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await time.ConfigureAwait(false);
        }
    }

    /// <summary>What has passed from clients to the upstream.</summary>
    public abstract WayReading ReadUp();

    /// <summary>What has passed from the upstream to clients.</summary>
    public abstract WayReading ReadDown();

    /// <summary>What else is counted, of both directions together.</summary>
    public abstract IReadOnlyList<(string Name, long Count)> ReadOthers();

    /// <summary>Closes all sockets. <see cref="RunAsync"/> has ended before, or was never called.</summary>
    public abstract ValueTask DisposeAsync();

    /// <summary>Carries until it is stopped.</summary>
    private protected abstract Task CarryAsync(CancellationToken stop);
}
