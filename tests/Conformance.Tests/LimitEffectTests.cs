namespace Doorbell.Tests;

/// <summary>A limit acts, or the server does not start with it.</summary>
[Collection("measures this process")]
public sealed class LimitEffectTests
{
    private static readonly Service _cat = Service.Run("cat", new ServiceProgram("cat", []));

    public static TheoryData<StreamLimitOverrides, string, string> WithoutEffectOnPrograms => new()
    {
        { new() { MinDataRate = 10 }, "tcp", "MinDataRate" },
        { new() { MaxMessageBytes = 10 }, "unix", "MaxMessageBytes" },
        { new() { MaxPendingOutput = 100_000 }, "tcp", "MaxPendingOutput" },
        { new() { FirstByteTimeout = TimeSpan.FromSeconds(1) }, "unix", "FirstByteTimeout" },
    };

    [Theory]
    [MemberData(nameof(WithoutEffectOnPrograms), DisableDiscoveryEnumeration = true)]
    public async Task A_limit_that_a_program_keeps_from_us_is_refused(StreamLimitOverrides limits, string transport, string says)
    {
        ArgumentException refused = await Assert.ThrowsAsync<ArgumentException>(
            () => Running.StartAsync(_cat, transport, change: options => options with { StreamLimits = limits }));
        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("iterative")]
    [InlineData("pool")]
    [InlineData("prefork")]
    public async Task To_close_one_too_many_is_refused_where_nobody_would_accept_it(string model)
    {
        ArgumentException refused = await Assert.ThrowsAsync<ArgumentException>(
            () => Running.StartAsync(ClassicServices.Echo, model: model, change: options => options with { AtLimit = AtLimit.Close }));
        Assert.Contains(model, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task An_idle_programs_connection_is_closed_at_its_time(string transport)
    {
        StreamLimitOverrides limits = new() { IdleTimeout = TimeSpan.FromSeconds(2) };
        await using Running server = await Running.StartAsync(
            _cat, transport, change: options => options with { StreamLimits = limits });
        using Peer peer = server.Connect();
        Assert.Equal("a\n", peer.Ask("a\n"));
        Assert.Equal("", peer.ReceiveToEnd());
        Peer.Eventually(() => server.Counts.Closed(CloseReason.IdleTimeout) == 1, "it is counted");
    }

    [Fact]
    public async Task A_client_that_sends_a_program_nothing_is_closed_at_its_time_and_another_stays()
    {
        StreamLimitOverrides limits = new() { FirstByteTimeout = TimeSpan.FromSeconds(3) };
        await using Running server = await Running.StartAsync(_cat, change: options => options with { StreamLimits = limits });
        using Peer speaks = server.Connect();
        Assert.Equal("a\n", speaks.Ask("a\n"));
        using Peer silent = server.Connect();
        Assert.Equal("", silent.ReceiveToEnd());
        Peer.Eventually(() => server.Counts.Closed(CloseReason.FirstByteTimeout) == 1, "it is counted");
        Assert.Equal("b\n", speaks.Ask("b\n"));
    }

    [Fact]
    public async Task Under_prefork_as_many_workers_accept_as_there_may_be_connections()
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, maxConnections: 2, model: "prefork");
        using Peer first = server.Connect();
        using Peer second = server.Connect();
        Assert.Equal("A\n", first.Ask("a\n"));
        Assert.Equal("B\n", second.Ask("b\n"));
        using Peer third = server.Connect();
        third.Send("c\n");
        Assert.Equal("A\n", first.Ask("a\n"));
        Assert.Equal(2, server.Counts.ConnectionsOpened);
        first.Dispose();
        Assert.Equal("C\n", third.Receive(2));
    }

    [Fact]
    public void A_program_has_a_default_fit_for_processes()
    {
        ServerOptions options = new() { Service = _cat, Endpoints = [Endpoint.Parse("tcp://127.0.0.1:0")] };
        Assert.Equal(128, options.MaxConnections);
        Assert.Equal(7, (options with { MaxConnections = 7 }).MaxConnections);
        Assert.Equal(10_000, (options with { Service = ClassicServices.Echo }).MaxConnections);
    }
}
