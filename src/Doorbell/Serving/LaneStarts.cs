namespace Doorbell.Serving;

/// <summary>
/// The lanes' starts. Each lane first takes from the system what it can't serve without, such as its epoll(7) instance. A server whose
/// lanes have not all got that does not say that it serves.
/// </summary>
internal sealed class LaneStarts
{
    private readonly List<Task> _starts = [];

    /// <summary>A lane is about to start; it completes the answer.</summary>
    public TaskCompletionSource Add()
    {
        TaskCompletionSource start = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_starts)
        {
            _starts.Add(start.Task);
        }

        return start;
    }

    /// <summary>Ends when all lanes that have been added can serve; fails if one can't.</summary>
    public Task AllAsync()
    {
        lock (_starts)
        {
            return Task.WhenAll(_starts);
        }
    }
}
