namespace Doorbell.Tests;

/// <summary>A connection that a program opens and a handler serves, without a server of its own.</summary>
public sealed class ClientTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task A_handler_asks_and_hears_the_answer_and_the_client_ends_with_its_reason(string transport)
    {
        await using Running capitalize = await Running.StartAsync(ClassicServices.Capitalize, transport);
        Asks handler = new("hello\n");
        await using Client client = await Client.ConnectAsync(
            capitalize.Endpoint, handler, ConnectOptions.Default, TestContext.Current.CancellationToken);
        Assert.Equal(CloseReason.Completed, await client.Completion.WaitAsync(_patience, TestContext.Current.CancellationToken));
        Assert.Equal("HELLO\n", handler.Answer);
        LedgerSnapshot counts = client.Ledger.Read();
        Assert.Equal((capitalize.Endpoint, 1, 0), (client.Endpoint, counts.ConnectionsConnected, counts.ConnectionsOpen));
    }

    [Fact]
    public async Task What_can_not_be_connected_throws_and_the_handler_is_told_once()
    {
        Endpoint endpoint = Endpoint.Parse("unix:///nowhere/to/be/found");
        Asks handler = new("hello\n");
        NetworkException failure = await Assert.ThrowsAsync<NetworkException>(
            () => Client.ConnectAsync(endpoint, handler, ConnectOptions.Default, TestContext.Current.CancellationToken));
        Assert.Equal("ENOENT", failure.ErrnoName);
        Assert.Equal(CloseReason.ConnectFailed, handler.Closed);
    }

    [Fact]
    public async Task Closing_ends_an_idle_connection_in_order_and_at_once()
    {
        await using Running echo = await Running.StartAsync(ClassicServices.Echo);
        Idle handler = new();
        Client client = await Client.ConnectAsync(
            echo.Endpoint, handler, ConnectOptions.Default, TestContext.Current.CancellationToken);
        await client.CloseAsync(_patience).WaitAsync(_patience / 2, TestContext.Current.CancellationToken);
        Assert.Equal(CloseReason.Completed, await client.Completion);
        Peer.Eventually(() => echo.Counts.Closed(CloseReason.Completed) == 1, "the server has its end");
        await client.DisposeAsync();
        await client.DisposeAsync();
    }

    [Fact]
    public async Task What_is_half_done_at_the_deadline_is_reset()
    {
        await using Running discard = await Running.StartAsync(ClassicServices.Discard);
        Idle handler = new(isIdle: false);
        Client client = await Client.ConnectAsync(
            discard.Endpoint, handler, ConnectOptions.Default, TestContext.Current.CancellationToken);
        await client.CloseAsync(TimeSpan.Zero);
        Assert.Equal(CloseReason.DrainDeadline, await client.Completion);
        Peer.Eventually(() => discard.Counts.Closed(CloseReason.PeerReset) == 1, "the server is reset");
    }

    [Fact]
    public async Task A_client_s_handler_may_connect_further_and_the_client_ends_with_the_last()
    {
        await using Running capitalize = await Running.StartAsync(ClassicServices.Capitalize);
        Asks second = new("second\n");
        Asks first = new("first\n") { Then = turn => turn.Connect(capitalize.Endpoint, second) };
        await using Client client = await Client.ConnectAsync(
            capitalize.Endpoint, first, ConnectOptions.Default, TestContext.Current.CancellationToken);
        await client.Completion.WaitAsync(_patience, TestContext.Current.CancellationToken);
        Assert.Equal(("FIRST\n", "SECOND\n"), (first.Answer, second.Answer));
        Assert.Equal(2, client.Ledger.Read().Closed(CloseReason.Completed));
    }

    private delegate OutgoingConnection ConnectFunction(Turn turn);

    private sealed class Asks(string question) : StreamHandler
    {
        public string Answer { get; private set; } = "";

        public CloseReason? Closed { get; private set; }

        public ConnectFunction? Then { get; init; }

        public override Next OnOpen(Turn turn)
        {
            turn.Output.Write(System.Text.Encoding.UTF8.GetBytes(question));
            return Next.Finish;
        }

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn)
        {
            Answer += System.Text.Encoding.UTF8.GetString(input);
            if (Answer.EndsWith('\n'))
            {
                Then?.Invoke(turn);
            }

            return Step.More(input.Length);
        }

        public override void OnClosed(CloseReason reason)
        {
            Assert.Null(Closed);
            Closed = reason;
        }
    }

    private sealed class Idle(bool isIdle = true) : StreamHandler
    {
        public override bool IsIdle => isIdle;

        public override Step OnBytes(ReadOnlySpan<byte> input, Turn turn) => Step.More(input.Length);
    }
}
