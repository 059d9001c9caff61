using Doorbell.Serving;

namespace Doorbell.Lanes;

/// <summary>A thread for a lane: small stack, in the background, so that it never keeps a program from ending.</summary>
internal static class LaneThread
{
    /// <exception cref="OutOfMemoryException">The system gives no thread.</exception>
    public static void Start(string name, Action run) =>
        new Thread(() => run(), ServerModel.ThreadStackBytes) { IsBackground = true, Name = $"doorbell {name}" }.Start();

    /// <summary>Starts a thread and answers its end as a task. If it fails, or there is none to be had, the server ends.</summary>
    public static Task RunAsync(string name, Shutdown shutdown, Action run)
    {
        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            Start(name, () =>
            {
                try
                {
                    run();
                    ended.SetResult();
                }
                catch (Exception failure)
                {
                    shutdown.Fail();
                    ended.SetException(failure);
                }
            });
        }
        catch (OutOfMemoryException shortage)
        {
            shutdown.Fail();
            ended.SetException(shortage);
        }

        return ended.Task;
    }
}
