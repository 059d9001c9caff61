namespace Doorbell.Serving;

/// <summary>
/// How a server ends, in three steps, each of which includes the one before: it accepts no more, it drains, and what is left is aborted.
/// Any thread may call any member; what has been done once is not done again, also after <see cref="Dispose"/>.
/// </summary>
internal sealed class Shutdown : IDisposable
{
    private readonly CancellationTokenSource _stopAccepting = new();
    private readonly CancellationTokenSource _drain = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _handedOver;

    public Shutdown()
    {
        // Taken once: a source that has been disposed gives no token.
        AcceptingStopped = _stopAccepting.Token;
        Draining = _drain.Token;
        Aborting = _abort.Token;
    }

    /// <summary>Accept no more. Connections that are open go on, and so do datagram sockets.</summary>
    public CancellationToken AcceptingStopped { get; }

    /// <summary>Let what is in flight be answered, and end.</summary>
    public CancellationToken Draining { get; }

    /// <summary>Stop now.</summary>
    public CancellationToken Aborting { get; }

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
        Drain();
        _failed.TrySetResult();
    }

    public void StopAccepting() => Cancel(_stopAccepting);

    public void Drain()
    {
        StopAccepting();
        Cancel(_drain);
    }

    /// <summary>Drains, since another server has taken over.</summary>
    public void HandOver()
    {
        _handedOver = true;
        Drain();
    }

    public void Abort()
    {
        Drain();
        Cancel(_abort);
    }

    public void Dispose()
    {
        _stopAccepting.Dispose();
        _drain.Dispose();
        _abort.Dispose();
    }

    /// <summary>A server that has ended may be told to end again: nobody is left to hear it.</summary>
    private static void Cancel(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (ObjectDisposedException)
        {
        }
    }
}
