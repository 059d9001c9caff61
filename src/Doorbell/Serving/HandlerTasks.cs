namespace Doorbell.Serving;

/// <summary>
/// How many tasks of handlers run: code of <see cref="PipeHandler"/>s and of async message functions. A server's end waits for them, since
/// a program whose server has ended exits, and what a handler still had to save would be lost.
/// </summary>
internal sealed class HandlerTasks
{
    /// <summary>How long a task may go on after the abort; Kestrel gives its requests as much.</summary>
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(1);

    private TaskCompletionSource? _allEnded;
    private int _running;

    /// <summary>A task begins. Any thread may say so.</summary>
    public void Begin() => Interlocked.Increment(ref _running);

    /// <summary>A task has ended. Any thread may say so.</summary>
    public void End()
    {
        if (Interlocked.Decrement(ref _running) == 0)
        {
            Volatile.Read(ref _allEnded)?.TrySetResult();
        }
    }

    /// <summary>
    /// Waits for all tasks to end, but after the abort no longer than a second. To be called when no task begins any more.
    /// </summary>
    /// <param name="aborting">Cancelled at the abort.</param>
    public async Task EndedAsync(CancellationToken aborting)
    {
        TaskCompletionSource allEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Exchange(ref _allEnded, allEnded);
        if (Volatile.Read(ref _running) == 0)
        {
            return;
        }

        TaskCompletionSource aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration =
            aborting.UnsafeRegister(static source => ((TaskCompletionSource)source!).TrySetResult(), aborted);
        if (await Task.WhenAny(allEnded.Task, aborted.Task).ConfigureAwait(false) != allEnded.Task)
        {
            await Task.WhenAny(allEnded.Task, Task.Delay(_grace, CancellationToken.None)).ConfigureAwait(false);
        }
    }
}

/// <summary>A connection that a server carries: a handler that starts tasks finds here where to count them.</summary>
internal interface IServedConnection
{
    HandlerTasks HandlerTasks { get; }
}
