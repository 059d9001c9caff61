namespace Doorbell.Tests;

/// <summary>A server may be ended by anybody, in any order, at any time and as often as one likes.</summary>
public sealed class EndTests
{
    public static TheoryData<string> Here => Models.Only(Models.Here);

    [Theory]
    [MemberData(nameof(Here))]
    public async Task What_ends_a_server_does_nothing_when_it_has_ended(string model)
    {
        Running running = await Running.StartAsync(ClassicServices.Echo, model: model);
        using Peer peer = running.Connect();
        Assert.Equal("hi\n", peer.Ask("hi\n"));
        await running.Server.DisposeAsync();
        await running.Server.DisposeAsync();
        await running.Server.DrainAsync(TimeSpan.FromSeconds(1));
        await running.Server.StopAcceptingAsync();
        await running.Server.StopAsync(TimeSpan.FromSeconds(1));
        await running.Server.StopAsync(TestContext.Current.CancellationToken);
        await running.Server.RunAsync(TimeSpan.Zero, CancellationToken.None);
        await running.Server.DisposeAsync();
        Assert.Equal(0, running.Counts.ConnectionsOpen);
        Assert.Empty(running.Server.Connections);
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task Many_may_end_a_server_at_once(string model)
    {
        for (int round = 0; round < 10; round++)
        {
            Running running = await Running.StartAsync(ClassicServices.Echo, model: model);
            using Peer peer = running.Connect();
            Assert.Equal("hi\n", peer.Ask("hi\n"));
            using Barrier together = new(4);
            Func<Task>[] ends =
            [
                () => running.Server.DisposeAsync().AsTask(),
                () => running.Server.DisposeAsync().AsTask(),
                () => running.Server.DrainAsync(TimeSpan.FromSeconds(20)),
                () => running.Server.StopAsync(TimeSpan.FromSeconds(20)),
            ];
            await Task.WhenAll(ends.Select(end => Task.Run(() =>
            {
                together.SignalAndWait();
                return end();
            })));
            Assert.Equal(0, running.Counts.ConnectionsOpen);
        }
    }

    [Fact]
    public async Task A_host_that_loses_patience_aborts_what_its_stop_waits_for()
    {
        Service stuck = new("stuck") { NewStreamHandler = static _ => new Parked() };
        await using Running running = await Running.StartAsync(stuck);
        using Peer peer = running.Connect();
        peer.Send("x");
        Peer.Eventually(() => running.Server.Connections is [{ State: ConnectionState.Parked }], "the handler works");
        using CancellationTokenSource patience = new();
        Task stopped = running.Server.StopAsync(patience.Token);
        Assert.False(stopped.IsCompleted);
        await patience.CancelAsync();
        await stopped;
        Assert.Equal(1, running.Counts.Closed(CloseReason.DrainDeadline));
    }

    [Fact]
    public async Task A_start_that_is_cancelled_already_binds_nothing()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        ServerOptions options = new() { Service = ClassicServices.Echo, Endpoints = [$"unix://{path}"] };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Server.StartAsync(options, new CancellationToken(canceled: true)));
        Assert.False(File.Exists(path));
    }

    private sealed class Parked : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => Step.Park(input.Length);
    }
}
