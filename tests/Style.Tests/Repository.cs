namespace Doorbell.Tests;

/// <summary>The checkout that the tests were built from.</summary>
internal static class Repository
{
    /// <summary>Its folder.</summary>
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    /// <summary>The files below a folder, without what builds leave.</summary>
    public static string[] Files(string folder, string pattern) => [.. Directory
        .GetFiles(Path.Combine(Root, folder), pattern, SearchOption.AllDirectories)
        .Where(static file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))];

    /// <summary>As a person names it.</summary>
    public static string Relative(string file) => Path.GetRelativePath(Root, file);

    private static string Find(string folder) =>
        File.Exists(Path.Combine(folder, "Doorbell.slnx")) ? folder : Find(Path.GetDirectoryName(folder)!);
}
