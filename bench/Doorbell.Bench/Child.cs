using System.ComponentModel;
using System.Diagnostics;

namespace Doorbell.Bench;

/// <summary>A process of ours on one processor. Disposing ends it, by its id.</summary>
internal sealed class Child : IAsyncDisposable
{
    private static readonly TimeSpan _mostToEnd = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly Task<string> _errors;

    private Child(string name, Process process)
    {
        Name = name;
        _process = process;
        _errors = process.StandardError.ReadToEndAsync();
    }

    public string Name { get; }

    public int Id => _process.Id;

    /// <exception cref="BenchException">There is no such program.</exception>
    public static Child Start(string name, int processor, IReadOnlyList<string> command)
    {
        // taskset(1) becomes the program, so the id stays; and all threads that it starts are bound with it.
        ProcessStartInfo start = new("taskset", ["-c", $"{processor}", .. command])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            return new Child(name, Process.Start(start)!);
        }
        catch (Win32Exception failure)
        {
            throw new BenchException($"{name}: taskset did not start: {failure.Message}");
        }
    }

    public Task WriteLineAsync(string line) => _process.StandardInput.WriteLineAsync(line);

    public void CloseInput() => _process.StandardInput.Close();

    /// <summary>The next line of its output.</summary>
    /// <exception cref="BenchException">It ended before, or said nothing for too long.</exception>
    public async Task<string> ReadLineAsync(TimeSpan most, CancellationToken cancellation)
    {
        try
        {
            string? line = await _process.StandardOutput.ReadLineAsync(cancellation).AsTask().WaitAsync(most, cancellation);
            return line ?? throw new BenchException($"{Name}: {await ComplaintAsync()}");
        }
        catch (TimeoutException)
        {
            throw new BenchException($"{Name}: said nothing for {most.TotalSeconds:0} seconds");
        }
    }

    /// <summary>Reads and drops what else it says, so that it never waits for a full pipe.</summary>
    public void IgnoreOutput() => _ = _process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);

    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.Kill();
            await _process.WaitForExitAsync().WaitAsync(_mostToEnd);
        }
        catch (Exception gone) when (gone is InvalidOperationException or TimeoutException)
        {
            // It had ended before, or the kernel takes its time; more than SIGKILL can't be done.
        }

        _process.Dispose();
    }

    /// <summary>What it said when it ended, in one line.</summary>
    private async Task<string> ComplaintAsync()
    {
        string said = await _errors.WaitAsync(_mostToEnd);
        string? first = said.Split('\n').Select(static line => line.Trim()).FirstOrDefault(static line => line.Length > 0);
        await _process.WaitForExitAsync().WaitAsync(_mostToEnd);
        return first ?? $"ended with exit code {_process.ExitCode} and said nothing";
    }
}
