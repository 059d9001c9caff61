namespace Doorbell;

/// <summary>A thread for a lane: small stack, in the background, so that it never keeps a program from ending.</summary>
internal static class LaneThread
{
    /// <exception cref="OutOfMemoryException">The system gives no thread.</exception>
    public static void Start(string name, Action run) =>
        new Thread(() => run(), ServerModel.ThreadStackBytes) { IsBackground = true, Name = $"doorbell {name}" }.Start();

    /// <summary>Starts a thread and answers its end as a task.</summary>
    public static Task RunAsync(string name, Action run)
    {
        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Start(name, () =>
        {
            try
            {
                run();
                ended.SetResult();
            }
            catch (Exception failure)
            {
                ended.SetException(failure);
            }
        });
        return ended.Task;
    }
}
