using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Doorbell.Native;

namespace Doorbell.Lab.Models;

/// <summary>A server model's server: a program that was started as a process of its own, and is ended with all it started.</summary>
internal sealed class ServerUnderTest : IAsyncDisposable
{
    private static readonly TimeSpan _maxToStart = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _maxToEnd = TimeSpan.FromSeconds(2);

    private readonly Process _process;
    private readonly ProcessTree _tree;
    private readonly TaskCompletionSource<Endpoint> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _complaint;

    private ServerUnderTest(string model, Process process)
    {
        Model = model;
        _process = process;
        _tree = new ProcessTree(process.Id);
        Address = new IPEndPoint(IPAddress.Loopback, 0);
        process.OutputDataReceived += (_, line) => NoteOutput(line.Data);
        process.ErrorDataReceived += (_, line) => NoteError(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Model { get; }

    /// <summary>Where it serves.</summary>
    public IPEndPoint Address { get; private set; }

    /// <summary>How errors call it.</summary>
    public string Name => $"tcp://{Address} (model {Model})";

    /// <summary>The processor time that it and its descendants have used.</summary>
    public TimeSpan Cpu() => _tree.Cpu();

    /// <summary>The bytes of memory that it and its descendants hold.</summary>
    public long Memory() => _tree.Memory();

    /// <summary>How many processes it consists of.</summary>
    public int Processes() => _tree.Count();

    /// <summary>Starts a server and waits until it listens.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="IOException">It did not start; the message is its own error line.</exception>
    public static async Task<ServerUnderTest> StartAsync(
        string model, IReadOnlyList<string> command, CancellationToken cancellation)
    {
        ProcessStartInfo start = new(command[0], command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        ServerUnderTest server = new(model, Process.Start(start)!);
        try
        {
            await server.ListenAsync(cancellation);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks it to end, waits a little, and ends by force what is left of it.</summary>
    public async ValueTask DisposeAsync()
    {
        // The tree is read before the signal: the children of a process that has ended are nobody's.
        if (_tree.Left().Contains(_process.Id))
        {
            _ = LibcProcesses.kill(_process.Id, LibcProcesses.SignalTerminate);
        }

        using (CancellationTokenSource enough = new(_maxToEnd))
        {
            await _process.WaitForExitAsync(enough.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        foreach (int left in _tree.Left())
        {
            _ = LibcProcesses.kill(left, LibcProcesses.SignalKill);
        }

        _process.Dispose();
    }

    private async Task ListenAsync(CancellationToken cancellation)
    {
        try
        {
            await Task.WhenAny(_listening.Task, _process.WaitForExitAsync(cancellation)).WaitAsync(_maxToStart, cancellation);
        }
        catch (TimeoutException)
        {
            throw new IOException($"it does not listen after {_maxToStart.TotalSeconds} s");
        }

        if (!_listening.Task.IsCompleted)
        {
            throw new IOException(_complaint ?? $"it ended with exit code {_process.ExitCode} and said nothing");
        }

        Address = new IPEndPoint(IPAddress.Loopback, (await _listening.Task).Port);
    }

    private void NoteOutput(string? line)
    {
        if (line is null || !line.StartsWith('{') || _listening.Task.IsCompleted)
        {
            return;
        }

        using JsonDocument json = JsonDocument.Parse(line);
        if (json.RootElement.GetProperty("event").GetString() == "listening")
        {
            _listening.TrySetResult(Endpoint.Parse(json.RootElement.GetProperty("endpoint").GetString()!));
        }
    }

    private void NoteError(string? line)
    {
        const string Command = "doorbell: ";
        if (!string.IsNullOrWhiteSpace(line))
        {
            _complaint ??= PrintableText.Escape(line.StartsWith(Command, StringComparison.Ordinal) ? line[Command.Length..] : line);
        }
    }
}
