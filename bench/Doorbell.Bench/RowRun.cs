namespace Doorbell.Bench;

/// <summary>Measures one row: in each round every server, one after the other. One that fails is left out, and the others go on.</summary>
/// <param name="row">What to measure.</param>
/// <param name="servers">Who takes part.</param>
/// <param name="load">The load generator.</param>
/// <param name="rounds">How often.</param>
/// <param name="note">Takes what is being done, to show it.</param>
internal sealed class RowRun(Row row, IReadOnlyList<Server> servers, LoadProgram load, int rounds, Action<string> note)
{
    private readonly List<ServerResult> _results = [.. servers.Select(static server => new ServerResult(server))];
    private readonly Dictionary<ServerResult, RunningServer> _running = [];

    /// <summary>Runs to the end, and leaves no process behind whatever happens.</summary>
    public async Task<RowResult> RunAsync(CancellationToken cancellation)
    {
        string? condition = null;
        try
        {
            foreach (ServerResult result in _results)
            {
                await TryAsync(result, "check", async () =>
                {
                    RunningServer server = await RunningAsync(result, cancellation);
                    if (row.Service == Service.Capitalize)
                    {
                        await Load.CheckAsync(load, server, cancellation);
                    }

                    if (result.Server.Name == row.Yardstick)
                    {
                        condition = await row.Work.PrepareAsync(server, cancellation);
                    }

                    if (!row.FreshServers)
                    {
                        await row.Work.WarmUpAsync(server, cancellation);
                    }
                }, cancellation);
                if (result.Server.Name == row.Yardstick && result.Failure is not null)
                {
                    break; // nothing to compare with
                }
            }

            await MeasureAsync(cancellation);
            return new RowResult(row, condition, _results);
        }
        finally
        {
            await Task.WhenAll(_running.Values.Select(static server => server.DisposeAsync().AsTask()));
        }
    }

    private async Task MeasureAsync(CancellationToken cancellation)
    {
        if (_results[0].Failure is { } why)
        {
            _results.ForEach(result => result.Failure ??= $"{result.Server.Name}: nothing to compare it with");
            _results[0].Failure = why;
            return;
        }

        for (int round = 1; round <= rounds; round++)
        {
            foreach (ServerResult result in _results)
            {
                await TryAsync(result, $"round {round} of {rounds}", async () =>
                {
                    if (row.FreshServers)
                    {
                        await EndAsync(result);
                        await row.Work.WarmUpAsync(await RunningAsync(result, cancellation), cancellation);
                    }

                    RunningServer server = await RunningAsync(result, cancellation);
                    await server.LetGoAsync(cancellation);
                    result.Samples.Add(await row.Work.MeasureAsync(server, cancellation));
                    await (row.FreshServers ? EndAsync(result) : server.LetGoAsync(cancellation));
                }, cancellation);
            }
        }
    }

    private async Task<RunningServer> RunningAsync(ServerResult result, CancellationToken cancellation)
    {
        if (!_running.TryGetValue(result, out RunningServer? server))
        {
            server = await RunningServer.StartAsync(result.Server, row.Service, cancellation);
            _running.Add(result, server);
        }

        return server;
    }

    private async Task EndAsync(ServerResult result)
    {
        if (_running.Remove(result, out RunningServer? server))
        {
            await server.DisposeAsync();
        }
    }

    private async Task TryAsync(ServerResult result, string what, Func<Task> work, CancellationToken cancellation)
    {
        if (result.Failure is not null)
        {
            return;
        }

        note($"{row.Name}: {result.Server.Name}, {what}");
        try
        {
            await work();
        }
        catch (BenchException failure)
        {
            cancellation.ThrowIfCancellationRequested(); // then it failed since it was ended
            result.Failure = failure.Message;
            await EndAsync(result);
        }
    }
}
