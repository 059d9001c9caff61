using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Doorbell.Tests;

/// <summary>What a handler throws is in the ledger and, with its stack, in the log.</summary>
public sealed class HandlerFaultTests
{
    public static TheoryData<string> Here => Models.Only(Models.Here);

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_handlers_exception_is_logged_with_its_stack_and_the_connections_number(string model)
    {
        using LogRecords log = new();
        long id = 0;
        Service bad = new("bad")
        {
            NewStreamHandler = connection =>
            {
                id = connection.Id;
                return new Bad();
            },
        };
        await using Running running = await Running.StartAsync(bad, model: model, change: options => options with { Logging = log });
        using Peer peer = running.Connect();
        peer.Send("x");
        Assert.Throws<SocketException>(() => peer.ReceiveToEnd());
        Peer.Eventually(() => log.All.Any(static line => line.Exception is not null), "the fault is logged");
        LogRecord record = Assert.Single(log.All, static line => line.Exception is not null);
        Assert.Equal(LogLevel.Error, record.Level);
        Assert.Equal(id, record.Named["ConnectionId"]);
        Assert.Equal("deliberate", record.Exception!.Message);
        Assert.Contains(nameof(Bad), record.Exception.StackTrace, StringComparison.Ordinal);
        Peer.Eventually(() => running.Counts.Closed(CloseReason.HandlerFault) == 1, "the fault is counted");
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_handler_that_cannot_be_made_is_its_connections_fault_in_ledger_and_log(string model)
    {
        const int Peers = 10;
        using LogRecords log = new();
        Service none = new("none") { NewStreamHandler = static _ => throw new InvalidOperationException("deliberate") };
        await using Running running = await Running.StartAsync(none, model: model, change: options => options with { Logging = log });
        for (int i = 0; i < Peers; i++)
        {
            using Peer peer = running.Connect();
            Assert.Throws<SocketException>(() => peer.ReceiveToEnd());
        }

        Peer.Eventually(() => running.Counts.Closed(CloseReason.HandlerFault) == Peers, "all are counted as faults");
        Assert.Equal(Peers, running.Counts.ConnectionsOpened);
        Assert.Equal(Peers, running.Counts.Errors);
        Peer.Eventually(() => log.All.Count(static line => line.Exception is InvalidOperationException) == Peers, "all are logged");
        IEnumerable<LogRecord> faults = log.All.Where(static line => line.Exception is not null);
        Assert.Equal(Peers, faults.Select(static line => line.Named["ConnectionId"]).Distinct().Count());
        Peer.Eventually(() => running.LeasesLeft == 10_000, "their places are free");
    }

    [Fact]
    public async Task A_factory_that_gives_no_handler_is_at_fault_too()
    {
        await using Running running = await Running.StartAsync(new Service("null") { NewStreamHandler = static _ => null! });
        using Peer peer = running.Connect();
        Assert.Throws<SocketException>(() => peer.ReceiveToEnd());
        Peer.Eventually(() => running.Counts.Closed(CloseReason.HandlerFault) == 1, "the fault is counted");
    }

    [Theory]
    [InlineData("async")]
    [InlineData("iterative")]
    public async Task A_datagram_handlers_exception_is_logged_with_its_stack(string model)
    {
        using LogRecords log = new();
        Service bad = new("bad") { NewDatagramHandler = static _ => new BadDatagrams() };
        await using Running running = await Running.StartAsync(bad, "udp", model: model, change: options => options with { Logging = log });
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        client.Connect("127.0.0.1", running.Endpoint.Port);
        client.Send("x"u8);
        Peer.Eventually(() => log.All.Any(static line => line.Exception is not null), "the fault is logged");
        LogRecord fault = Assert.Single(log.All, static line => line.Exception is not null);
        Assert.Contains(nameof(BadDatagrams), fault.Exception!.StackTrace, StringComparison.Ordinal);
        Assert.Equal(1, running.Counts.DatagramFaults);
    }

    [Theory]
    [InlineData("async")]
    [InlineData("iterative")]
    public async Task A_datagram_handler_that_cannot_be_made_ends_the_server_and_is_logged(string model)
    {
        using LogRecords log = new();
        Service none = new("none") { NewDatagramHandler = static _ => throw new InvalidOperationException("deliberate") };
        InvalidOperationException failure = await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            // A lane on a thread makes its handler before the server has started; a task makes it when it runs.
            Running running = await Running.StartAsync(none, "udp", model: model, change: options => options with { Logging = log });
            await running.Server.Completion;
        });
        Assert.Equal("deliberate", failure.Message);
        Assert.Contains(log.All, line => line.Exception == failure && line.Level == LogLevel.Error);
    }

    [Fact]
    public async Task An_exception_that_throws_when_it_is_shown_is_logged_without_itself()
    {
        using Shows log = new();
        Service bad = new("bad") { NewStreamHandler = static _ => throw new Unshowable() };
        await using Running running = await Running.StartAsync(bad, change: options => options with { Logging = log });
        using Peer peer = running.Connect();
        Assert.Throws<SocketException>(() => peer.ReceiveToEnd());
        Peer.Eventually(
            static () => Shows.Lines.Any(static line => line.Contains(nameof(Unshowable), StringComparison.Ordinal)), "a line is written");
    }

    private sealed class Bad : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => throw new InvalidOperationException("deliberate");
    }

    private sealed class BadDatagrams : DatagramHandler
    {
        public override void OnDatagram(Datagram datagram, DatagramTurn turn) => throw new InvalidOperationException("deliberate");
    }

    private sealed class Unshowable : Exception
    {
        public override string Message => throw new InvalidOperationException("no message");

        public override string ToString() => throw new InvalidOperationException("no text");
    }

    /// <summary>Writes exceptions out, as a console does.</summary>
    private sealed class Shows : ILoggerFactory, ILogger
    {
        public static System.Collections.Concurrent.ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{formatter(state, exception)} {exception}");

        public bool IsEnabled(LogLevel logLevel) => true;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public void Dispose()
        {
        }
    }
}
