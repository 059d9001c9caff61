namespace Doorbell.Pipes;

/// <summary>
/// The delays that a <see cref="PipeHandler"/>'s code waits for, on the lane's clock: real time in a server, virtual time in a test.
/// </summary>
internal sealed class PipeAlarms
{
    private readonly Lock _lock = new();
    private readonly List<(TaskCompletionSource Delay, TimeSpan Time)> _asked = [];
    private readonly PriorityQueue<TaskCompletionSource, TimeSpan> _set = new();
    private bool _ended;

    /// <summary>Any thread: a task that ends when so much time has passed since the lane next calls <see cref="Set"/>.</summary>
    public async Task DelayAsync(TimeSpan time, Action ring, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        cancellation.ThrowIfCancellationRequested();
        TaskCompletionSource delay = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_ended)
            {
                throw new OperationCanceledException("the connection is closed");
            }

            _asked.Add((delay, time));
        }

        ring();
        using CancellationTokenRegistration registration = cancellation.UnsafeRegister(_ => Forget(delay, cancellation), null);
        await delay.Task.ConfigureAwait(false);
    }

    /// <summary>The lane: ends the delays that are due and sets the session's alarm for the next one.</summary>
    public void Set(Turn turn)
    {
        lock (_lock)
        {
            foreach ((TaskCompletionSource delay, TimeSpan time) in _asked)
            {
                _set.Enqueue(delay, time > TimeSpan.MaxValue - turn.Now ? TimeSpan.MaxValue : turn.Now + time);
            }

            _asked.Clear();
            TimeSpan due;
            while (_set.TryPeek(out TaskCompletionSource? next, out due) && due <= turn.Now)
            {
                _set.Dequeue();
                next.TrySetResult();
            }

            turn.Alarm = _set.Count == 0 ? null : due;
        }
    }

    /// <summary>The connection is over: no delay ends in time any more.</summary>
    public void End()
    {
        lock (_lock)
        {
            _ended = true;
            foreach (TaskCompletionSource delay in _asked.Select(static asked => asked.Delay).Concat(
                _set.UnorderedItems.Select(static set => set.Element)))
            {
                delay.TrySetCanceled(CancellationToken.None);
            }

            _asked.Clear();
            _set.Clear();
        }
    }

    private void Forget(TaskCompletionSource delay, CancellationToken cancellation)
    {
        lock (_lock)
        {
            _asked.RemoveAll(asked => asked.Delay == delay);
            _set.Remove(delay, out _, out _);
        }

        delay.TrySetCanceled(cancellation);
    }
}
