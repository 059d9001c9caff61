using System.Net;
using Doorbell.SocketOptions;

namespace Doorbell.Tests;

/// <summary>Connections that handlers open: how many, and from which sockets.</summary>
public sealed class OutgoingBoundTests
{
    public static TheoryData<string> Here => Models.Only(Models.Many);

    [Theory]
    [MemberData(nameof(Here))]
    public async Task One_connection_more_than_may_be_open_is_not_begun_and_has_its_place_when_another_ends(string model)
    {
        await using Running echo = await Running.StartAsync(ClassicServices.Echo);
        await using Running relay = await Running.StartAsync(
            Relay.To(echo.Endpoint), model: model, change: static options => options with { MaxOutgoingConnections = 1 });
        using (Peer first = new Peer(relay.Endpoint))
        {
            Assert.Equal("a\n", first.Ask("a\n"));
            using Peer second = new Peer(relay.Endpoint);
            Peer.Eventually(() => relay.Counts.ConnectFailures == 1, "the second has failed");
            Assert.Equal((1L, 1L), (relay.Counts.ConnectionsConnected, relay.Counts.OutgoingRefused));
        }

        Peer.Eventually(() => relay.Counts.ConnectionsOpen == 0, "both sides of the first are closed");
        using Peer third = new Peer(relay.Endpoint);
        Assert.Equal("b\n", third.Ask("b\n"));
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task What_failed_to_connect_has_given_its_place_back(string model)
    {
        await using Running relay = await Running.StartAsync(
            Relay.To("unix:///nowhere/to/be/found"), model: model, change: static options => options with { MaxOutgoingConnections = 1 });
        for (int i = 1; i <= 3; i++)
        {
            using Peer client = new Peer(relay.Endpoint);
            Peer.Eventually(() => relay.Counts.ConnectFailures == i, "it could not be connected");
        }

        Assert.Equal(0, relay.Counts.OutgoingRefused);
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task A_handler_s_connection_has_the_socket_options_and_the_address_that_it_asks_for(string model)
    {
        List<SocketOptionOutcome> told = [];
        await using Running server = await Running.StartAsync(Listening("127.0.0.7"));
        ClientOptions options = new()
        {
            LocalAddress = IPAddress.Parse("127.0.0.7"),
            SocketOptions = [SocketOptionSetting.Of("TCP_NODELAY", false)],
            SocketOptionSet = told.Add,
        };
        Hears handler = new();
        await using Running asking = await Running.StartAsync(
            new Service("asks")
            {
                NewStreamHandler = _ => new Asks(server.Endpoint, handler, new ConnectOptions { Transport = options }),
            },
            model: model);
        using Peer client = new Peer(asking.Endpoint);
        Assert.Equal("127.0.0.7", await handler.Heard.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.Equal("0", Assert.Single(told).Actual);
    }

    [Fact]
    public async Task A_client_has_the_socket_options_the_address_and_the_keep_alive_that_it_asks_for()
    {
        List<SocketOptionOutcome> told = [];
        await using Running server = await Running.StartAsync(Listening("127.0.0.7"));
        Hears handler = new();
        await using Client client = await Client.ConnectAsync(
            server.Endpoint,
            handler,
            new ConnectOptions
            {
                Transport = new ClientOptions
                {
                    LocalAddress = IPAddress.Parse("127.0.0.7"),
                    SocketOptions = [SocketOptionSetting.Of("TCP_NODELAY", false)],
                    SocketOptionSet = told.Add,
                },
            },
            TestContext.Current.CancellationToken);
        Assert.Equal("127.0.0.7", await handler.Heard.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.Equal("0", Assert.Single(told).Actual);
    }

    [Theory]
    [MemberData(nameof(Here))]
    public async Task An_address_that_is_none_of_this_machine_s_is_named(string model)
    {
        Hears handler = new();
        Asks asks = new(
            "tcp://127.0.0.1:9",
            handler,
            new ConnectOptions { Transport = new ClientOptions { LocalAddress = IPAddress.Parse("192.0.2.1") } });
        await using Running asking = await Running.StartAsync(new Service("asks") { NewStreamHandler = _ => asks }, model: model);
        using Peer client = new Peer(asking.Endpoint);
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => handler.Heard.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.StartsWith(
            "bind 192.0.2.1: EADDRNOTAVAIL (Cannot assign requested address)", asks.Outgoing!.Failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_has_no_effect_on_the_endpoint_is_refused_when_it_is_asked_for()
    {
        ConnectOptions options = new() { Transport = new ClientOptions { LocalAddress = IPAddress.Loopback } };
        Assert.Throws<ArgumentException>(() => new Doorbell.Sessions.ConnectRequest("unix:///run/x", new Hears(), options));
    }

    /// <summary>Tells each client the address that it came from.</summary>
    private static Service Listening(string from) => new($"tells {from}") { NewStreamHandler = static _ => new Tells() };

    private sealed class Tells : StreamHandler
    {
        public override Next OnOpen(Turn turn)
        {
            turn.Output.Write(System.Text.Encoding.ASCII.GetBytes(turn.Peer.ToIPEndPoint().Address.ToString()));
            return Next.Close;
        }

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => Step.More(input.Length);
    }

    private sealed class Asks(Endpoint to, StreamHandler handler, ConnectOptions options) : StreamHandler
    {
        public OutgoingConnection? Outgoing { get; private set; }

        public override Next OnOpen(Turn turn)
        {
            Outgoing = turn.Connect(to, handler, options);
            return Next.Stay;
        }

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => Step.More(input.Length);
    }

    private sealed class Hears : StreamHandler
    {
        private string _text = "";

        public TaskCompletionSource<string> Heard { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            _text += System.Text.Encoding.ASCII.GetString(input);
            return Step.More(input.Length);
        }

        public override void OnClosed(CloseReason reason)
        {
            if (reason == CloseReason.Completed)
            {
                Heard.TrySetResult(_text);
            }
            else
            {
                Heard.TrySetException(new InvalidOperationException($"{reason}"));
            }
        }
    }
}
