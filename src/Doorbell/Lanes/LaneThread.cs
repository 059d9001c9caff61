using Doorbell.Serving;

namespace Doorbell.Lanes;

/// <summary>A thread for a lane: small stack, in the background, so that it never keeps a program from ending.</summary>
internal static class LaneThread
{
    /// <exception cref="OutOfMemoryException">The system gives no thread.</exception>
    public static void Start(string name, Action run) =>
        new Thread(() => run(), ServerModel.ThreadStackBytes) { IsBackground = true, Name = $"doorbell {name}" }.Start();

    /// <summary>Starts a thread and answers its end as a task. If it fails, or there is none to be had, the server ends.</summary>
    /// <param name="name">What the lane does.</param>
    /// <param name="context">Is told when it can serve, and when it can't go on.</param>
    /// <param name="begin">Takes what the lane can't serve without, and answers what serves.</param>
    public static Task RunAsync(string name, ServerContext context, Func<Action> begin)
    {
        TaskCompletionSource started = context.Starts.Add();
        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            Start(name, () =>
            {
                try
                {
                    Action serve = begin();
                    started.SetResult();
                    serve();
                    ended.SetResult();
                }
                catch (Exception failure)
                {
                    context.Shutdown.Fail();
                    ended.SetException(failure);
                    started.TrySetException(failure);
                }
            });
        }
        catch (OutOfMemoryException shortage)
        {
            context.Shutdown.Fail();
            ended.SetException(shortage);
            started.SetException(shortage);
        }

        return ended.Task;
    }
}
