namespace Doorbell.Cli.Ends;

/// <summary>One side of a relay, open: a stream, and what its end means.</summary>
/// <param name="name">To name in errors.</param>
/// <param name="stream">Its bytes; closed with this.</param>
internal abstract class OpenEnd(string name, Stream stream) : IAsyncDisposable
{
    /// <summary>To name in errors.</summary>
    public string Name => name;

    /// <summary>Its bytes, both ways.</summary>
    public Stream Stream => stream;

    /// <summary>Whether an end that it gives says that nobody takes anything there any more, as that of a terminal does.</summary>
    public virtual bool IsGoneAtEnd => false;

    /// <summary>Tells it that nothing follows, and goes on reading. False if it has no way to be told.</summary>
    /// <exception cref="IOException">What was sent to it is not whole.</exception>
    public virtual ValueTask<bool> EndSendingAsync() => ValueTask.FromResult(false);

    /// <summary>Waits for a moment until what was sent has been taken, where closing it would lose that.</summary>
    public virtual Task DrainAsync() => Task.CompletedTask;

    /// <summary>Something was cut off: it is closed so that nothing looks whole, where there is a way to tell that.</summary>
    public virtual void Abort()
    {
    }

    public virtual ValueTask DisposeAsync() => stream.DisposeAsync();
}
