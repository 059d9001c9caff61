using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Doorbell.Bench;

/// <summary>A server that listens, alone on its processor.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private const int Processor = 0;

    private static readonly TimeSpan _mostToStart = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan _mostToLetGo = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _betweenLooks = TimeSpan.FromMilliseconds(5);

    private readonly Child _child;
    private readonly int _ownDescriptors;

    private RunningServer(Server server, Child child, int port)
    {
        Server = server;
        _child = child;
        Port = port;
        _ownDescriptors = Descriptors();
    }

    public Server Server { get; }

    public int Id => _child.Id;

    public int Port { get; }

    /// <summary>Starts it and waits until it says where it listens.</summary>
    /// <exception cref="BenchException">It was not built, did not start, or has not the engine that was asked for.</exception>
    public static async Task<RunningServer> StartAsync(Server server, Service service, CancellationToken cancellation)
    {
        if (!File.Exists(server.Program))
        {
            throw new BenchException($"{server.Name}: not built; bench/run says why");
        }

        Child child = Child.Start(server.Name, Processor, server.Command(service));
        try
        {
            string line = await child.ReadLineAsync(_mostToStart, cancellation);
            child.IgnoreOutput();
            return new RunningServer(server, child, PortOf(server, line));
        }
        catch
        {
            await child.DisposeAsync();
            throw;
        }
    }

    /// <summary>The user memory that is its own: what others map too is not counted (proc(5), smaps_rollup).</summary>
    public long PrivateBytes() => File.ReadLines($"/proc/{Id}/smaps_rollup")
        .Where(static line => line.StartsWith("Private_", StringComparison.Ordinal) && line.EndsWith("kB", StringComparison.Ordinal))
        .Sum(static line => 1024 * long.Parse(
            line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..^2].Trim(), CultureInfo.InvariantCulture));

    /// <summary>Its processor time, user and system, with all its threads (clock_getcpuclockid(3)).</summary>
    /// <exception cref="BenchException">It has ended.</exception>
    public long CpuNanoseconds()
    {
        // The kernel's number for a process's clock (linux/posix-timers.h): CPUCLOCK_SCHED of the whole process.
        int clock = (~Id << 3) | 2;
        return clock_gettime(clock, out Timespec time) == 0
            ? (time.Seconds * 1_000_000_000) + time.Nanoseconds
            : throw new BenchException($"{Server.Name}: has ended");
    }

    [DllImport("libc")]
    private static extern int clock_gettime(int clock, out Timespec time);

    private readonly record struct Timespec(long Seconds, long Nanoseconds);

    /// <summary>Waits until it has closed its side of all connections: ten thousand take a while, in the next one's time.</summary>
    public async Task LetGoAsync(CancellationToken cancellation)
    {
        const int Slack = 16; // a runtime opens some of its own when it first needs them
        using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        enough.CancelAfter(_mostToLetGo);
        try
        {
            while (Descriptors() > _ownDescriptors + Slack)
            {
                await Task.Delay(_betweenLooks, enough.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new BenchException(
                $"{Server.Name}: still holds connections {_mostToLetGo.TotalSeconds:0} seconds after they were closed");
        }
    }

    public ValueTask DisposeAsync() => _child.DisposeAsync();

    private int Descriptors()
    {
        try
        {
            return Directory.GetFiles($"/proc/{Id}/fd").Length;
        }
        catch (DirectoryNotFoundException)
        {
            throw new BenchException($"{Server.Name}: has ended");
        }
    }

    /// <summary>A peer says <c>listening PORT</c>, ours a JSON object.</summary>
    private static int PortOf(Server server, string line)
    {
        const string Listening = "listening ";
        if (line.StartsWith(Listening, StringComparison.Ordinal))
        {
            return int.Parse(line[Listening.Length..], CultureInfo.InvariantCulture);
        }

        try
        {
            using JsonDocument json = JsonDocument.Parse(line);
            if (json.RootElement.TryGetProperty("engine", out JsonElement engine) && engine.GetString() != server.Engine)
            {
                throw new BenchException($"{server.Name}: serves by {engine.GetString()} instead");
            }

            return new Uri(json.RootElement.GetProperty("endpoint").GetString()!).Port;
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or UriFormatException)
        {
            throw new BenchException($"{server.Name}: said \"{line}\" instead of where it listens");
        }
    }
}
