namespace Doorbell;

/// <summary>How a server ends, in two steps: it drains, and at the deadline what is left is aborted.</summary>
internal sealed class Stop : IDisposable
{
    private readonly CancellationTokenSource _drain = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _backlogStays;

    /// <summary>Stop accepting; let what is in flight be answered.</summary>
    public CancellationToken Draining => _drain.Token;

    /// <summary>Stop now.</summary>
    public CancellationToken Aborting => _abort.Token;

    /// <summary>
    /// Someone else holds the listeners too and goes on accepting: what waits in the backlog is theirs. Otherwise closing the
    /// listener would reset it, and so it is accepted first.
    /// </summary>
    public bool BacklogStays => _backlogStays;

    /// <summary>Ends when a lane can't go on.</summary>
    public Task Failed => _failed.Task;

    /// <summary>
    /// A lane can't go on: a server that served on without it would be deaf to some, and nobody would know. So it drains, and then ends
    /// with what went wrong.
    /// </summary>
    public void Fail()
    {
        _drain.Cancel();
        _failed.TrySetResult();
    }

    public void Drain() => _drain.Cancel();

    /// <summary>Drains and leaves the backlog to whoever holds the listeners too.</summary>
    public void HandOver()
    {
        _backlogStays = true;
        _drain.Cancel();
    }

    public void Abort() => _abort.Cancel();

    public void Dispose()
    {
        _drain.Dispose();
        _abort.Dispose();
    }
}
