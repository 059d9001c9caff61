namespace Doorbell.Tests;

/// <summary>A file's name in the folder for temporary files; deleted with this.</summary>
internal sealed class Scratch(string extension) : IDisposable
{
    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), System.IO.Path.GetRandomFileName() + extension);

    public void Dispose() => File.Delete(Path);
}
