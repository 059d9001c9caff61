namespace Doorbell.Tests;

/// <summary>Where things are in the checkout that these tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    public static string Peers => Path.Combine(Root, "tests", "peers");

    private static string Find(string folder) =>
        File.Exists(Path.Combine(folder, "Doorbell.slnx")) ? folder : Find(Path.GetDirectoryName(folder)!);
}
