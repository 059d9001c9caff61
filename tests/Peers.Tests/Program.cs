using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;

namespace Doorbell.Tests;

/// <summary>How a program that was run to its end ended.</summary>
internal sealed record Ended(int ExitCode, string Output, string Error);

/// <summary>A program under test, or one of its peers: started, spoken to, and ended by its own pid.</summary>
internal sealed class Program : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly BlockingCollection<string> _lines = [];
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();

    private Program(string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        ProcessStartInfo start = new(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = new UTF8Encoding(false),
            StandardErrorEncoding = new UTF8Encoding(false),
        };
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Note(_output, line.Data, isOutput: true);
        _process.ErrorDataReceived += (_, line) => Note(_error, line.Data, isOutput: false);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    /// <summary>Whether it has ended.</summary>
    public bool HasEnded => _process.HasExited;

    /// <summary>What it has written to its standard output so far.</summary>
    public string Output => Text(_output);

    /// <summary>What it has written to its standard error so far.</summary>
    public string Error => Text(_error);

    public Stream Input => _process.StandardInput.BaseStream;

    /// <summary>Starts a program that stays.</summary>
    public static Program Start(string file, params IEnumerable<string> arguments) => new(file, arguments);

    /// <summary>Starts a program that stays, with more in its environment.</summary>
    public static Program Start(string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment) =>
        new(file, arguments, environment);

    /// <summary>Runs a program to its end.</summary>
    public static Ended Run(string file, IEnumerable<string> arguments, string input = "")
    {
        using Program program = new(file, arguments);
        program.Input.Write(Encoding.UTF8.GetBytes(input));
        program.Input.Close();
        return program.WaitForEnd();
    }

    /// <summary>Waits for a line of output that contains a text; however many others come meanwhile, not for ever.</summary>
    public string WaitForLine(string containing)
    {
        long began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < _patience && _lines.TryTake(out string? line, _patience))
        {
            if (line.Contains(containing, StringComparison.Ordinal))
            {
                return line;
            }
        }

        throw new TimeoutException($"no line with \"{containing}\" came; output: {Text(_output)} error: {Text(_error)}");
    }

    /// <summary>Waits until so many lines of its standard error contain a text, or another.</summary>
    public void WaitForErrors(string containing, int lines, string? orElse = null)
    {
        DateTime deadline = DateTime.UtcNow + _patience;
        while (Text(_error).Split('\n').Count(line => line.Contains(containing, StringComparison.Ordinal)
            || (orElse is not null && line.Contains(orElse, StringComparison.Ordinal))) < lines)
        {
            Assert.True(DateTime.UtcNow < deadline, $"no {lines} lines with \"{containing}\" came; error: {Text(_error)}");
            Thread.Yield();
        }
    }

    /// <summary>Waits until its standard error contains a text.</summary>
    public void WaitForError(string containing) => WaitForErrors(containing, lines: 1);

    /// <summary>Sends a signal by name, as in INT.</summary>
    public void Signal(string name) => Assert.Equal(0, Run("kill", ["-" + name, $"{Id}"]).ExitCode);

    /// <summary>Waits for its end, but no longer than this.</summary>
    public bool EndsWithin(TimeSpan time) => _process.WaitForExit(time);

    public Ended WaitForEnd() => WaitForEnd(_patience);

    public Ended WaitForEnd(TimeSpan patience)
    {
        if (!_process.WaitForExit(patience))
        {
            throw new TimeoutException($"it has not ended; output: {Text(_output)} error: {Text(_error)}");
        }

        // Without a time-out it also waits until all output has been read.
        _process.WaitForExit();
        return new Ended(_process.ExitCode, Text(_output), Text(_error));
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
        _lines.Dispose();
    }

    /// <summary>The output is noted on other threads.</summary>
    private static string Text(StringBuilder all)
    {
        lock (all)
        {
            return all.ToString();
        }
    }

    private void Note(StringBuilder all, string? line, bool isOutput)
    {
        if (line is null)
        {
            return;
        }

        lock (all)
        {
            all.Append(line).Append('\n');
        }

        if (isOutput)
        {
            _lines.Add(line);
        }
    }
}
