namespace Doorbell.Tests;

/// <summary>The server models by what a test may expect of them.</summary>
internal static class Models
{
    public static readonly string[] All = ["iterative", "process", "prefork", "thread", "pool", "async", "loop"];

    /// <summary>Several connections are served at once.</summary>
    public static readonly string[] AtOnce = ["process", "prefork", "thread", "pool", "async", "loop"];

    /// <summary>As many as may be, in this process.</summary>
    public static readonly string[] Many = ["thread", "async", "loop"];

    /// <summary>A fixed number, the others wait in the backlog; or a process each.</summary>
    public static readonly string[] InTurn = ["iterative", "prefork", "pool", "process"];

    /// <summary>The handler runs in this process.</summary>
    public static readonly string[] Here = ["iterative", "thread", "pool", "async", "loop"];

    /// <summary>Whoever accepts counts all connections.</summary>
    public static readonly string[] WithALimit = ["process", "thread", "async", "loop"];

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
                all.Add(service, "unix", model);
            }
        }

        return all;
    }
}
