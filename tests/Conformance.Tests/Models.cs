namespace Doorbell.Tests;

/// <summary>
/// The server models, and behind a slash the engines they run on where there is a choice, by what a test may expect of them.
/// Off Linux there is the model async alone, on the portable engine.
/// </summary>
internal static class Models
{
    public static readonly string[] All =
        Available("iterative", "process", "prefork", "thread", "pool", "async", "loop/epoll", "loop/io_uring");

    /// <summary>Several connections are served at once.</summary>
    public static readonly string[] AtOnce = Available("process", "prefork", "thread", "pool", "async", "loop/epoll", "loop/io_uring");

    /// <summary>As many as may be, in this process.</summary>
    public static readonly string[] Many = Available("thread", "async", "loop/epoll", "loop/io_uring");

    /// <summary>A fixed number, the others wait in the backlog; or a process each.</summary>
    public static readonly string[] InTurn = Available("iterative", "prefork", "pool", "process");

    /// <summary>The handler runs in this process.</summary>
    public static readonly string[] Here = Available("iterative", "thread", "pool", "async", "loop/epoll", "loop/io_uring");

    /// <summary>Whoever accepts counts all connections.</summary>
    public static readonly string[] WithALimit = Available("process", "thread", "async", "loop/epoll", "loop/io_uring");

    private static string[] Available(params string[] models) =>
        OperatingSystem.IsLinux() ? models : [.. models.Where(static model => model == "async")];

    /// <summary>An engine's name, as the command line takes it; automatic where there is none.</summary>
    public static EngineKind EngineOf(string model) => model.Split('/') switch
    {
        [_, "epoll"] => EngineKind.Epoll,
        [_, "io_uring"] => EngineKind.IoUring,
        _ => EngineKind.Auto,
    };

    /// <summary>These models alone.</summary>
    public static TheoryData<string> Only(string[] models) => [.. models];

    /// <summary>Every capitaliser, over every stream, under these models. Worker processes know the command's services alone.</summary>
    public static TheoryData<string, string, string> Matrix(string[] models)
    {
        TheoryData<string, string, string> all = [];
        foreach (string model in models)
        {
            foreach (string service in model is "process" or "prefork" ? ["handler"] : new[] { "handler", "delay", "file" })
            {
                all.Add(service, "tcp", model);
                if (OperatingSystem.IsLinux())
                {
                    all.Add(service, "unix", model);
                }
            }
        }

        return all;
    }
}
