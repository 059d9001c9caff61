namespace Doorbell.Serving;

/// <summary>How a server ends, in two steps: it drains, and at the deadline what is left is aborted.</summary>
internal sealed class Shutdown : IDisposable
{
    private readonly CancellationTokenSource _drain = new();
    private readonly CancellationTokenSource _abort = new();
    private volatile bool _handedOver;
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Stop accepting; let what is in flight be answered.</summary>
    public CancellationToken Draining => _drain.Token;

    /// <summary>Stop now.</summary>
    public CancellationToken Aborting => _abort.Token;

    /// <summary>Another server has taken the listening sockets over: they, and their files, live on.</summary>
    public bool IsHandedOver => _handedOver;

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

    /// <summary>Drains, since another server has taken over.</summary>
    public void HandOver()
    {
        _handedOver = true;
        _drain.Cancel();
    }

    public void Abort() => _abort.Cancel();

    public void Dispose()
    {
        _drain.Dispose();
        _abort.Dispose();
    }
}
