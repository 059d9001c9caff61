namespace Doorbell.Cli;

/// <summary>Plot.</summary>
internal static class ModelsPlot
{
    public static bool CanWrite(string file) => Path.GetExtension(file) is ".svg" or ".png";

    public static void Write(IReadOnlyList<ModelResult> results, Schedule schedule, string file) => _ = (results, schedule, file);
}
