using System.Diagnostics;

namespace Doorbell.Lab.Models;

/// <summary>Measures the server models side by side: all servers run, and each in turn gets the load. Linux.</summary>
/// <param name="schedule">For how long.</param>
/// <param name="serverOf">
/// The program that serves a model, by its name, and the program's arguments. It serves <see cref="ClassicServices.Capitalize"/> on a
/// TCP port of 127.0.0.1, and says so on a line of its standard output: a JSON object with <c>"event":"listening"</c> and
/// <c>"endpoint":"tcp://127.0.0.1:PORT"</c>.
/// </param>
public sealed class ModelsBench(Schedule schedule, Func<string, IReadOnlyList<string>> serverOf)
{
    /// <summary>Bytes of a line that is asked, with its LF, and of its answer.</summary>
    public const int LineBytes = Question.Bytes;

    /// <summary>The models' names.</summary>
    public static IReadOnlyList<string> Models => ServerModel.Names;

    /// <summary>How many slow clients there are, one measurement after the other.</summary>
    public static IReadOnlyList<int> SlowClientCounts => SlowClients.Counts;

    /// <summary>Runs to the end, and leaves no process behind whatever happens.</summary>
    /// <param name="cancellation">Ends the run early.</param>
    /// <returns>A result for each of <see cref="Models"/>.</returns>
    /// <exception cref="NetworkException">A server failed, or answered wrongly or not at all.</exception>
    public async Task<IReadOnlyList<ModelResult>> RunAsync(CancellationToken cancellation)
    {
        long began = Stopwatch.GetTimestamp();
        ModelResult[] results = [.. Models.Select(static model => new ModelResult(model))];
        List<(ServerUnderTest Server, ModelResult Result)> all = [];
        try
        {
            foreach (ModelResult result in results)
            {
                try
                {
                    all.Add((await ServerUnderTest.StartAsync(result.Model, serverOf(result.Model), cancellation), result));
                }
                catch (IOException failure)
                {
                    result.Error = failure.Message;
                }
            }

            await MeasureIdleAsync(all, cancellation);
            MeasureLoad(all, began, cancellation);
            await MeasureWaitsAsync(all, cancellation);
            return results;
        }
        finally
        {
            await Task.WhenAll(all.Select(static one => one.Server.DisposeAsync().AsTask()));
        }
    }

    /// <summary>First, while the servers are fresh: later they reuse memory that the load made them take.</summary>
    private static async Task MeasureIdleAsync(List<(ServerUnderTest Server, ModelResult Result)> all, CancellationToken cancellation)
    {
        foreach ((ServerUnderTest server, ModelResult result) in all)
        {
            // A server's first connections make it take what it takes once.
            result.AtOnce = (await IdleMemory.MeasureAsync(server, Load.Clients, cancellation)).Held;
            int connections = result.Model == "process" ? IdleMemory.ConnectionsOfProcesses : IdleMemory.Connections;
            result.Idle = await IdleMemory.MeasureAsync(server, connections, cancellation);
        }
    }

    private void MeasureLoad(List<(ServerUnderTest Server, ModelResult Result)> all, long began, CancellationToken cancellation)
    {
        Load Of(ServerUnderTest server)
        {
            cancellation.ThrowIfCancellationRequested();
            return new Load(server.Address, server.Name, server.Cpu);
        }

        foreach ((ServerUnderTest server, ModelResult result) in all)
        {
            Of(server).ConnectEachTime(schedule.WarmUp);
            Of(server).PingPong(schedule.WarmUp, result.AtOnce);
        }

        for (int round = 0; round < Schedule.Rounds; round++)
        {
            TimeSpan slice = schedule.SliceFrom(Stopwatch.GetElapsedTime(began), Schedule.Rounds - round);
            foreach ((ServerUnderTest server, ModelResult result) in all)
            {
                result.AddRound(
                    Of(server).ConnectEachTime(slice), Of(server).PingPong(slice, result.AtOnce));
            }
        }
    }

    private async Task MeasureWaitsAsync(List<(ServerUnderTest Server, ModelResult Result)> all, CancellationToken cancellation)
    {
        List<(SlowClients Clients, ModelResult Result)> slow =
            [.. all.Select(one => (new SlowClients(one.Server, schedule.Cap), one.Result))];
        try
        {
            foreach (int count in SlowClients.Counts)
            {
                foreach ((SlowClients clients, ModelResult result) in slow)
                {
                    result.AddWait(await clients.WaitOfNewClientAsync(count, cancellation));
                }
            }
        }
        finally
        {
            slow.ForEach(static one => one.Clients.Dispose());
        }
    }
}
