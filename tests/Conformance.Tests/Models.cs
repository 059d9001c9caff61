namespace Doorbell.Tests;

/// <summary>The server models by what a test may expect of them.</summary>
internal static class Models
{
    public static readonly string[] All = ["iterative", "thread", "pool", "async", "loop"];
    public static readonly string[] AtOnce = ["thread", "pool", "async", "loop"];
    public static readonly string[] Many = ["thread", "async", "loop"];
    public static readonly string[] InTurn = ["iterative", "pool"];

    /// <summary>Every capitaliser, over every stream, under these models.</summary>
    public static TheoryData<string, string, string> Matrix(string[] models)
    {
        TheoryData<string, string, string> all = [];
        foreach (string service in new[] { "handler", "delay", "file" })
        {
            foreach (string transport in new[] { "tcp", "unix" })
            {
                foreach (string model in models)
                {
                    all.Add(service, transport, model);
                }
            }
        }

        return all;
    }

    /// <summary>These models alone.</summary>
    public static TheoryData<string> Only(string[] models) => [.. models];
}
