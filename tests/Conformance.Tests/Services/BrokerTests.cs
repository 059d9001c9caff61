namespace Doorbell.Tests;

/// <summary>A broker on real sockets, under every model that carries several connections in this process.</summary>
public sealed class BrokerTests
{
    public static TheoryData<string> Many => [.. Models.Many, "pool"];

    public static TheoryData<string, string> ManyOverEach
    {
        get
        {
            TheoryData<string, string> all = [];
            foreach (string model in Many)
            {
                all.Add(model, "tcp");
                all.Add(model, "unix");
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(ManyOverEach))]
    public async Task Everyone_hears_everyone(string model, string transport)
    {
        await using Running broker = await Running.StartAsync(Broker.New(), transport, model: model);
        Peer[] members = [.. Enumerable.Range(0, 3).Select(_ => broker.Connect())];
        Peer.Eventually(() => broker.Counts.ConnectionsOpen == members.Length, "all are in");
        for (int round = 0; round < 20; round++)
        {
            foreach (Peer speaker in members)
            {
                string said = $"round {round}\n";
                await SayAsync(speaker, said, members);
            }
        }

        Array.ForEach(members, static member => member.HalfClose());
        Array.ForEach(members, static member => Assert.Equal("", member.ReceiveToEnd()));
        Peer.Eventually(() => broker.Counts.Closed(CloseReason.Completed) == members.Length, "all end in order");
        Array.ForEach(members, static member => member.Dispose());
    }

    [Theory]
    [MemberData(nameof(Many))]
    public async Task Members_at_both_endpoints_of_a_service_hear_each_other(string model)
    {
        Endpoint unix = Endpoint.Parse($"unix://{Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())}");
        await using Running broker = await Running.StartAsync(
            Broker.New(), model: model, change: options => options with { Endpoints = [.. options.Endpoints, unix] });
        using Peer tcp = broker.Connect();
        using Peer other = new(unix);
        Peer.Eventually(() => broker.Counts.ConnectionsOpen == 2, "both are in");
        await SayAsync(tcp, "from one", [tcp, other]);
        await SayAsync(other, "to the other", [tcp, other]);
    }

    [Theory]
    [MemberData(nameof(Many))]
    public async Task Who_does_not_read_is_reset_and_counted_and_the_others_go_on(string model)
    {
        Service broker = Broker.New();
        StreamLimits limits = broker.StreamLimits with { MaxPendingOutput = 256 * 1024 };
        await using Running running = await Running.StartAsync(broker with { StreamLimits = limits }, model: model);
        using Peer speaker = running.Connect();
        using Peer deaf = running.Connect();
        Peer.Eventually(() => running.Counts.ConnectionsOpen == 2, "both are in");
        string much = new('x', 64 * 1024);
        int sent = 0;
        while (sent < 64 * 1024 * 1024 && running.Counts.Closed(CloseReason.PendingOutputExceeded) == 0)
        {
            speaker.Send(much);
            sent += much.Length;
        }

        Peer.Eventually(() => running.Counts.Closed(CloseReason.PendingOutputExceeded) == 1, "it is counted");
        Peer.Eventually(() => running.Counts.BytesReceived == sent, "nothing is left that the next one would hear");
        using Peer listener = running.Connect();
        Peer.Eventually(() => running.Counts.ConnectionsOpen == 2, "one is gone and one has come");
        await SayAsync(listener, "still here", [speaker, listener]);
    }

    [Theory]
    [InlineData("process")]
    [InlineData("prefork")]
    public void A_model_whose_lanes_are_processes_is_refused_with_the_reason(string model)
    {
        ServerOptions options = new()
        {
            Service = Broker.New(), Endpoints = [Endpoint.Parse("tcp://127.0.0.1:0")], Model = ServerModel.Named(model),
        };
        ArgumentException refused = Assert.Throws<ArgumentException>(options.Validate);
        Assert.Contains("broker", refused.Message, StringComparison.Ordinal);
        Assert.Contains($"leave out the model {model}", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>All but the speaker hear it.</summary>
    private static async Task SayAsync(Peer speaker, string said, Peer[] members)
    {
        speaker.Send(said);
        await Task.WhenAll(members.Where(member => member != speaker).Select(
            member => Task.Run(() => Assert.Equal(said, member.Receive(said.Length)))));
    }
}
