namespace Doorbell.Lab.Load;

/// <summary>
/// Asks a server, and measures how long it takes to answer: in a closed loop, or at a rate whatever the answers do (an open loop). One
/// thread carries all connections. Linux alone.
/// </summary>
public sealed class LoadTest : IDisposable
{
    private readonly LoadRun _run;

    /// <exception cref="ArgumentException">Options make no sense.</exception>
    /// <exception cref="PlatformNotSupportedException">This is not Linux.</exception>
    /// <exception cref="NetworkException">The system refuses what it needs.</exception>
    public LoadTest(LoadOptions options)
    {
        options.Validate();
        if (!OperatingSystem.IsLinux())
        {
            throw new PlatformNotSupportedException("a load test needs Linux: its connections are on epoll(7)");
        }

        Options = options;
        _run = options.Endpoint.IsStream ? new StreamLoad(options) : new DatagramLoad(options);
    }

    /// <summary>What was asked for.</summary>
    public LoadOptions Options { get; }

    /// <summary>Ends when the time begins that is measured, or with the run.</summary>
    public Task Measuring => _run.Measuring;

    /// <summary>How far it is. Any thread may ask.</summary>
    public LoadReading Read() => _run.Reading;

    /// <summary>Runs it once.</summary>
    /// <param name="stop">Ends it early, with the results so far.</param>
    /// <exception cref="NetworkException">The system refuses what it needs.</exception>
    /// <exception cref="LoadException">Not a single connection could be opened.</exception>
    public async Task<LoadResult> RunAsync(CancellationToken stop)
    {
        TaskCompletionSource<LoadResult> over = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration stopping = stop.UnsafeRegister(static run => ((LoadRun)run!).Stop(), _run);
        new Thread(() => Run(over)) { IsBackground = true, Name = "doorbell load" }.Start();
        LoadResult result = await over.Task.ConfigureAwait(false);
        return _run.Failure is { } why ? throw new LoadException(why) : result;
    }

    /// <summary>May be called when the run is over.</summary>
    public void Dispose() => _run.Dispose();

    private void Run(TaskCompletionSource<LoadResult> over)
    {
        try
        {
            over.SetResult(_run.Run());
        }
        catch (Exception failure)
        {
            over.SetException(failure);
        }
    }
}
