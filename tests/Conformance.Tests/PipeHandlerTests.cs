using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;

namespace Doorbell.Tests;

/// <summary>Ordinary async code over a connection: its ends, its drain, and how long a server waits for it.</summary>
public sealed class PipeHandlerTests
{
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(20);

    public static TheoryData<string> Here => Models.Only(Models.Here);

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_drain_delivers_the_answers_in_work_of_code_that_reads_on(string model)
    {
        TaskCompletionSource working = Source();
        TaskCompletionSource answer = Source();
        Service rpc = Service.Stream("rpc", async connection =>
        {
            List<Task> work = [];
            while (true)
            {
                ReadResult read = await connection.Input.ReadAsync();
                bool any = !read.Buffer.IsEmpty;
                connection.Input.AdvanceTo(read.Buffer.End);
                if (any)
                {
                    work.Add(AnswerAsync());
                }

                if (read.IsCompleted)
                {
                    break;
                }
            }

            await Task.WhenAll(work);
            async Task AnswerAsync()
            {
                working.TrySetResult();
                await answer.Task;
                await connection.Output.WriteAsync("A"u8.ToArray());
            }
        });
        await using Running server = await Running.StartAsync(rpc, model: model);
        using Peer peer = server.Connect();
        peer.Send("1");
        await working.Task;
        Task drained = server.Server.DrainAsync(_long);
        Assert.False(drained.IsCompleted);
        answer.SetResult();
        Assert.Equal("A", peer.ReceiveToEnd());
        peer.Dispose();
        await drained.WaitAsync(_long, TestContext.Current.CancellationToken);
        Assert.Equal(1, server.Counts.Closed(CloseReason.Completed));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_drain_waits_for_a_message_of_which_the_code_has_consumed_no_more_than_a_part(string model)
    {
        TaskCompletionSource draining = Source();
        Service upper = Service.Stream("upper", async connection =>
        {
            using CancellationTokenRegistration told = connection.Draining.Register(draining.SetResult);
            while (true)
            {
                ReadResult read = await connection.Input.ReadAsync(connection.Closed);
                ReadOnlySequence<byte> rest = read.Buffer;
                while (Framing.Line.TryRead(ref rest, out ReadOnlySequence<byte> line))
                {
                    Framing.Line.Write([.. line.ToArray().Select(static b => (byte)char.ToUpperInvariant((char)b))], connection.Output);
                }

                await connection.Output.FlushAsync(connection.Closed);
                connection.Input.AdvanceTo(rest.Start, rest.End);
                if (read.IsCompleted)
                {
                    return;
                }
            }
        });
        await using Running server = await Running.StartAsync(upper, model: model);
        using Peer peer = server.Connect();
        peer.Send("first\nhalf a li");
        Assert.Equal("FIRST\n", peer.Receive(6));
        Task drained = server.Server.DrainAsync(_long);
        await draining.Task;
        peer.Send("ne\n");
        Assert.Equal("HALF A LINE\n", peer.ReceiveToEnd());
        peer.Dispose();
        await drained.WaitAsync(_long, TestContext.Current.CancellationToken);
        Assert.Equal(1, server.Counts.Closed(CloseReason.Completed));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task Code_that_only_sends_is_told_of_the_drain(string model)
    {
        Service ticker = Service.Stream("ticker", static async connection =>
        {
            await connection.Output.WriteAsync("tick"u8.ToArray());
            await Task.Delay(Timeout.Infinite, connection.Draining).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await connection.Output.WriteAsync("bye"u8.ToArray());
        });
        await using Running server = await Running.StartAsync(ticker, model: model);
        using Peer peer = server.Connect();
        Assert.Equal("tick", peer.Receive(4));
        Task drained = server.Server.DrainAsync(_long);
        Assert.Equal("bye", peer.ReceiveToEnd());
        peer.Dispose();
        await drained.WaitAsync(_long, TestContext.Current.CancellationToken);
        Assert.Equal(1, server.Counts.Closed(CloseReason.Completed));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task At_the_drains_deadline_the_code_is_told_why(string model)
    {
        TaskCompletionSource<CloseReason?> told = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Service stubborn = Service.Stream("stubborn", async connection =>
        {
            await connection.Output.WriteAsync("x"u8.ToArray());
            await Task.Delay(Timeout.Infinite, connection.Closed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            told.SetResult(connection.CloseReason);
        });
        await using Running server = await Running.StartAsync(stubborn, model: model);
        using Peer peer = server.Connect();
        Assert.Equal("x", peer.Receive(1));
        await server.Server.DrainAsync(TimeSpan.FromMilliseconds(50));
        Assert.Equal(CloseReason.DrainDeadline, await told.Task);
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_servers_end_waits_for_the_code_of_its_handlers(string model)
    {
        int saved = 0;
        int clients = model is "iterative" ? 1 : model is "pool" ? 2 : 20;
        Service saving = Service.Stream("saving", async connection =>
        {
            try
            {
                while (true)
                {
                    ReadResult read = await connection.Input.ReadAsync();
                    bool any = !read.Buffer.IsEmpty;
                    connection.Input.AdvanceTo(read.Buffer.End);
                    if (any)
                    {
                        await connection.Output.WriteAsync("k"u8.ToArray());
                    }

                    if (read.IsCompleted)
                    {
                        break;
                    }
                }
            }
            finally
            {
                await Task.Delay(50);
                Interlocked.Increment(ref saved);
            }
        });
        await using Running server = await Running.StartAsync(saving, model: model);
        using CancellationTokenSource stop = new();
        Task run = server.Server.RunAsync(_long, stop.Token);
        List<Peer> peers = [.. Enumerable.Range(0, clients).Select(_ => server.Connect())];
        peers.ForEach(static peer => Assert.Equal("k", peer.Ask("x")));

        // Those whose connections are gone already are waited for too.
        peers[0].Reset();
        peers[^1].Dispose();
        await stop.CancelAsync();
        peers.Skip(1).SkipLast(1).ToList().ForEach(static peer =>
        {
            Assert.Equal("", peer.ReceiveToEnd());
            peer.Dispose();
        });
        await run.WaitAsync(_long, TestContext.Current.CancellationToken);
        Assert.Equal(clients, Volatile.Read(ref saved));
    }

    [Fact]
    public async Task Code_that_never_ends_holds_a_servers_end_up_for_a_second_and_no_longer()
    {
        Service stuck = Service.Stream("stuck", static async connection =>
        {
            await connection.Output.WriteAsync("x"u8.ToArray());
            await Task.Delay(Timeout.Infinite);
        });
        Running server = await Running.StartAsync(stuck);
        using Peer peer = server.Connect();
        Assert.Equal("x", peer.Receive(1));
        await server.DisposeAsync().AsTask().WaitAsync(_long, TestContext.Current.CancellationToken);
        Assert.Equal(1, server.Counts.Closed(CloseReason.DrainDeadline));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task Completing_the_output_half_closes_and_reading_goes_on(string model)
    {
        TaskCompletionSource<long> read = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Service first = Service.Stream("first", async connection =>
        {
            await connection.Output.WriteAsync("hello"u8.ToArray());
            await connection.Output.CompleteAsync();
            read.SetResult(await CountToEndAsync(connection));
        });
        await using Running server = await Running.StartAsync(first, model: model);
        using Peer peer = server.Connect();
        Assert.Equal("hello", peer.ReceiveToEnd());
        byte[] confirmed = new byte[300_000];
        peer.Send(confirmed);
        peer.HalfClose();
        Assert.Equal(confirmed.Length, await read.Task.WaitAsync(_long, TestContext.Current.CancellationToken));
        Peer.Eventually(() => server.Counts.Closed(CloseReason.Completed) == 1, "it has ended in order");
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task After_both_ends_the_connection_is_the_codes_until_it_returns(string model)
    {
        TaskCompletionSource goOn = Source();
        TaskCompletionSource<bool> closedEarly = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Service late = Service.Stream("late", async connection =>
        {
            await CountToEndAsync(connection);
            await connection.Output.WriteAsync("answer"u8.ToArray());
            await connection.Output.CompleteAsync();
            await goOn.Task;
            closedEarly.SetResult(connection.Closed.IsCancellationRequested);
        });
        await using Running server = await Running.StartAsync(late, model: model);
        using Peer peer = server.Connect();
        peer.Send("question");
        peer.HalfClose();
        Assert.Equal("answer", peer.ReceiveToEnd());
        Assert.Equal(1, server.Counts.ConnectionsOpen);
        goOn.SetResult();
        Assert.False(await closedEarly.Task);
        Peer.Eventually(() => server.Counts.Closed(CloseReason.Completed) == 1, "it has ended in order");
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task An_abort_resets_the_connection_and_is_no_fault(string model)
    {
        Service rude = Service.Stream("rude", static async connection =>
        {
            await connection.Input.ReadAsync();
            connection.Abort();
            await Task.Delay(Timeout.Infinite, connection.Closed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        await using Running server = await Running.StartAsync(rude, model: model);
        using Peer peer = server.Connect();
        peer.Send("x");
        SocketException reset = Assert.Throws<SocketException>(() => peer.ReceiveToEnd());
        Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
        Peer.Eventually(() => server.Counts.Closed(CloseReason.HandlerAborted) == 1, "the abort is counted");
        Assert.Equal(0, server.Counts.Closed(CloseReason.HandlerFault));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task An_exception_after_the_output_was_completed_is_a_fault_too(string model)
    {
        Service brittle = Service.Stream("brittle", static async connection =>
        {
            await connection.Output.CompleteAsync();
            await CountToEndAsync(connection);
            throw new FormatException("bad");
        });
        await using Running server = await Running.StartAsync(brittle, model: model);
        using Peer peer = server.Connect();
        Assert.Equal("", peer.ReceiveToEnd());
        peer.HalfClose();
        Peer.Eventually(() => server.Counts.Closed(CloseReason.HandlerFault) == 1, "the fault is counted");
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task An_alarm_rings_and_the_peer_and_the_door_are_known(string model)
    {
        Service late = Service.Stream("late", static async (pipe, connection, closed) =>
        {
            string known = $"{connection.Peer} {connection.Local} {connection.Id}";
            await pipe.Output.WriteAsync(System.Text.Encoding.ASCII.GetBytes(known), closed);
        });
        Service alarmed = Service.Stream("alarmed", static async connection =>
        {
            await connection.DelayAsync(TimeSpan.FromMilliseconds(20));
            connection.CountRequests(1);
            await connection.Output.WriteAsync("rung"u8.ToArray());
        });
        await using Running server = await Running.StartAsync(alarmed, model: model);
        using (Peer peer = server.Connect())
        {
            Assert.Equal("rung", peer.ReceiveToEnd());
        }

        Peer.Eventually(() => server.Counts.Requests == 1, "the request is counted");
        await using Running other = await Running.StartAsync(late, model: model);
        using Peer known = other.Connect();
        string[] said = known.ReceiveToEnd().Split(' ');
        Assert.Equal(known.Socket.LocalEndPoint!.ToString()!.Split("::ffff:")[^1].Replace("]", "", StringComparison.Ordinal), said[0]);
        Assert.Equal($"127.0.0.1:{other.Endpoint.Port}", said[1]);
        Assert.True(long.Parse(said[2], System.Globalization.CultureInfo.InvariantCulture) > 0);
    }

    private static async Task<long> CountToEndAsync(PipeConnection connection)
    {
        long count = 0;
        while (true)
        {
            ReadResult read = await connection.Input.ReadAsync(connection.Closed);
            count += read.Buffer.Length;
            connection.Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                return count;
            }
        }
    }

    private static TaskCompletionSource Source() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
