using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Doorbell.Sessions;
using Doorbell.SocketOptions;

namespace Doorbell.Tests;

/// <summary>The budget of all connections for what waits in them (<see cref="ServerOptions.MaxBufferedBytes"/>).</summary>
public sealed class BufferBudgetTests
{
    private const int Budget = 2 * 1024 * 1024;

    /// <summary>More than the budget, and with it more than the kernel takes of it.</summary>
    private const int TooMuch = 12 * 1024 * 1024;

    /// <summary>What a connection holds, and whatever holds it.</summary>
    private static readonly string[] _kinds = ["output", "input", "layered", "pipe", "framed", "relay"];

    private static readonly StreamLimits _wide = new() { MaxMessageBytes = 2 * TooMuch, MaxPendingOutput = 2 * TooMuch };

    public static TheoryData<string, string> KindsAndModels
    {
        get
        {
            TheoryData<string, string> all = [];
            foreach (string kind in _kinds)
            {
                foreach (string model in Models.Here)
                {
                    all.Add(kind, model);
                }
            }

            return all;
        }
    }

    public static TheoryData<string> AtOnce => Models.Only([.. Models.AtOnce.Intersect(Models.Here)]);

    [Theory]
    [MemberData(nameof(KindsAndModels))]
    public async Task Who_holds_more_than_all_may_together_is_reset_whatever_it_is_that_waits(string kind, string model)
    {
        await using Running? upstream = kind == "relay" ? await Running.StartAsync(Answering()) : null;
        await using Running server = await Running.StartAsync(
            upstream is null ? ServiceThatHolds(kind) : Relay.To([upstream.Endpoint], new RelayOptions { BufferBytes = TooMuch }),
            model: model,
            change: options => Layered(kind, options with { MaxBufferedBytes = BudgetOf(kind), StreamLimits = Wide(kind) }));
        using Peer greedy = new(server.Endpoint);
        if (kind == "input")
        {
            SendUntilReset(greedy);
        }
        else
        {
            greedy.Send($"{TooMuch}\n");
        }

        Peer.Eventually(() => server.Counts.Closed(CloseReason.BufferBudgetExceeded) > 0, "the greedy one is reset");
        Peer.Eventually(() => server.Counts.ConnectionsOpen == 0, "it is closed");

        // A relay has two connections: both may hold too much, and where one is reset the relay resets the other.
        Assert.Equal(kind == "relay" ? 2 : 1, server.Counts.Errors);
    }

    [Theory]
    [MemberData(nameof(AtOnce))]
    public async Task The_greediest_goes_first_and_a_modest_one_gets_its_whole_answer(string model)
    {
        const int Modest = Budget / 4;
        await using Running server = await Running.StartAsync(
            Answering(),
            model: model,
            change: static options => options with
            {
                MaxBufferedBytes = Budget,
                StreamLimits = Wide("output"),
                SocketOptions = [SocketOptionSetting.Parse("SO_SNDBUF=64k")],
            });
        using Peer modest = SmallReader(server.Endpoint);
        modest.Send($"{Modest}\n");
        Peer.Eventually(() => server.Counts.BytesSent > 0, "the modest one is served");
        using Peer greedy = SmallReader(server.Endpoint);
        greedy.Send($"{TooMuch}\n");
        Peer.Eventually(() => server.Counts.Closed(CloseReason.BufferBudgetExceeded) == 1, "the greedy one is reset");
        Assert.Equal(new string('x', Modest), modest.Receive(Modest));
        Assert.Equal(1, server.Counts.ConnectionsOpen);
    }

    [Fact]
    public async Task Each_worker_of_a_prefork_has_its_share()
    {
        await using Running server = await Running.StartAsync(
            ClassicServices.Echo, model: "prefork", workerArguments: ["--max-buffered", "1k"]);
        using Peer greedy = new(server.Endpoint);
        SendUntilReset(greedy);
        Peer.Eventually(() => server.Counts.Closed(CloseReason.BufferBudgetExceeded) == 1, "the greedy one is reset");
    }

    [Fact]
    public async Task A_budget_is_refused_where_each_connection_has_a_process_of_its_own()
    {
        ServerOptions options = new()
        {
            Service = ClassicServices.Echo,
            Endpoints = [Endpoint.Parse("tcp://127.0.0.1:0")],
            Model = ServerModel.Process,
            MaxBufferedBytes = Budget,
        };
        ArgumentException refused = await Assert.ThrowsAsync<ArgumentException>(
            () => Server.StartAsync(options, TestContext.Current.CancellationToken));
        Assert.Contains("ServerOptions.MaxBufferedBytes has no effect", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_default_is_an_eighth_of_the_memory_that_there_is() =>
        Assert.Equal(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8, new ServerOptions().MaxBufferedBytes);

    /// <summary>A relay's queue has few places, and on some lanes small pieces are in them.</summary>
    private static long BudgetOf(string kind) => kind == "relay" ? 32 * 1024 : Budget;

    private static StreamLimitOverrides Wide(string kind) => new()
    {
        MaxMessageBytes = _wide.MaxMessageBytes,
        MaxPendingOutput = _wide.MaxPendingOutput,
        OutputHighMark = kind == "relay" ? _wide.MaxPendingOutput : null,
    };

    private static ServerOptions Layered(string kind, ServerOptions options) => kind != "layered" ? options : options with
    {
        Service = null,
        Endpoints = [],
        Doors = [new DoorOptions { Endpoint = options.Endpoints[0], Service = options.Service!, Layers = [static _ => new CopyLayer()] }],
    };

    /// <summary>It reads nothing, and the kernel holds little of what waits for it.</summary>
    private static Peer SmallReader(Endpoint endpoint)
    {
        Peer peer = new(endpoint);
        peer.Socket.ReceiveBufferSize = 64 * 1024;
        return peer;
    }

    private static void SendUntilReset(Peer peer)
    {
        byte[] bytes = new byte[64 * 1024];
        peer.Socket.Blocking = false;
        DateTime until = DateTime.UtcNow.AddSeconds(30);
        while (DateTime.UtcNow < until)
        {
            _ = peer.Socket.Send(bytes, SocketFlags.None, out SocketError error);
            if (error is not (SocketError.Success or SocketError.WouldBlock))
            {
                return;
            }

            if (error == SocketError.WouldBlock)
            {
                _ = peer.Socket.Poll(10_000, SelectMode.SelectWrite);
            }
        }
    }

    private static Service ServiceThatHolds(string kind) => kind switch
    {
        "input" => new Service("miser") { NewStreamHandler = static _ => new Miser() },
        "pipe" => Service.Stream("pipe", static async connection =>
        {
            ReadResult asked = await connection.Input.ReadAsync();
            connection.Input.AdvanceTo(asked.Buffer.End);
            connection.Output.Write(new byte[TooMuch]);
            await connection.Output.FlushAsync(connection.Closed);
            await Task.Delay(Timeout.Infinite, connection.Closed);
        }),
        "framed" => Service.Framed("framed", Framing.Line, static async (message, answer, connection, closed) =>
        {
            answer.Write(new byte[TooMuch]);
            await Task.Delay(Timeout.Infinite, closed);
        }),
        _ => Answering(),
    };

    /// <summary>Answers a number with so many letters.</summary>
    private static Service Answering() => new("answering") { NewStreamHandler = static _ => new Answerer() };

    private sealed class Answerer : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            int end = input.IndexOf((byte)'\n');
            if (end < 0)
            {
                return Step.More(0);
            }

            int count = int.Parse(input[..end], System.Globalization.CultureInfo.InvariantCulture);
            turn.Output.GetSpan(count)[..count].Fill((byte)'x');
            turn.Output.Advance(count);
            return Step.More(end + 1);
        }
    }

    /// <summary>Consumes nothing.</summary>
    private sealed class Miser : StreamHandler
    {
        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => Step.More(0);
    }

    /// <summary>Passes on what comes from both sides.</summary>
    private sealed class CopyLayer : StreamLayer
    {
        public override int MaxUnitBytes => 4096;

        public override LayerState Begin(OutputBuffer wire) => LayerState.Open;

        public override Unwrapped Unwrap(ReadOnlySpan<byte> came, Span<byte> plain, OutputBuffer wire)
        {
            int count = Math.Min(came.Length, MaxUnitBytes);
            came[..count].CopyTo(plain);
            return new Unwrapped(count, count, LayerState.Open);
        }

        public override void Wrap(ReadOnlySpan<byte> plain, OutputBuffer wire) => wire.Write(plain);
    }
}
