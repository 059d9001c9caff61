namespace Doorbell;

/// <summary>How a server ends, in two steps: it drains, and at the deadline what is left is aborted.</summary>
internal sealed class Stop : IDisposable
{
    private readonly CancellationTokenSource _drain = new();
    private readonly CancellationTokenSource _abort = new();

    /// <summary>Stop accepting; let what is in flight be answered.</summary>
    public CancellationToken Draining => _drain.Token;

    /// <summary>Stop now.</summary>
    public CancellationToken Aborting => _abort.Token;

    public void Drain() => _drain.Cancel();

    public void Abort() => _abort.Cancel();

    public void Dispose()
    {
        _drain.Dispose();
        _abort.Dispose();
    }
}
