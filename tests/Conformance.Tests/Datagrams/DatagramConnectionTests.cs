using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Doorbell.Coap;
using Doorbell.SocketOptions;

namespace Doorbell.Tests;

/// <summary>A client's datagram socket with a handler of its own, and the clients of protocols that stand on it.</summary>
public sealed class DatagramConnectionTests
{
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_handler_sends_first_and_gets_the_answer()
    {
        await using Running server = await Running.StartAsync(ClassicServices.Capitalize, "udp");
        Asking handler = new("hello");
        await using DatagramConnection connection = await OpenAsync(server.Endpoint, handler);
        Assert.Equal("HELLO", await handler.Answer.Task.WaitAsync(_long));
        Assert.Equal((ushort)server.Endpoint.Port, connection.Peer.Port);
        await connection.DrainAsync(_long);
        await connection.DisposeAsync();
        connection.Dispose();
        Assert.Equal([CloseReason.Completed], handler.Closes);
        Assert.Equal((1, 1), ((int)connection.Counts.DatagramsSent, (int)connection.Counts.DatagramsReceived));
    }

    [Fact]
    public async Task A_handler_is_told_that_nobody_listens_there()
    {
        Endpoint nobody = NobodyAt(IPAddress.Loopback);
        Asking handler = new("hello");
        await using DatagramConnection connection = await OpenAsync(nobody, handler);
        await handler.Unreachable.Task.WaitAsync(_long);
        Assert.Equal(connection.Peer, await handler.Unreachable.Task);
        Assert.Contains("ECONNREFUSED", connection.LastFailure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_endpoint_is_refused() => await Assert.ThrowsAsync<ArgumentException>(
        () => OpenAsync(Endpoint.Parse("tcp://127.0.0.1:7"), new Asking("hello")));

    [Fact]
    public async Task A_coap_client_asks_many_at_once_and_each_gets_its_own_answer()
    {
        await using Running server = await Running.StartAsync(CoapService.From(ClassicServices.Capitalize), "udp");
        await using RequestClient<CoapClientRequest, CoapClientResponse> client = await CoapAsync(server.Endpoint);
        string[] answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(async number =>
        {
            CoapClientResponse answer = await client.AskAsync(Capitalize($"question {number}"), _long, CancellationToken.None);
            return Encoding.UTF8.GetString(answer.Body);
        }));
        Assert.Equal(Enumerable.Range(0, 50).Select(static number => $"QUESTION {number}"), answers);
        Assert.True(client.RoundTrip > TimeSpan.Zero);
    }

    [Fact]
    public async Task A_body_in_blocks_goes_both_ways()
    {
        await using Running server = await Running.StartAsync(CoapService.From(ClassicServices.Capitalize), "udp");
        await using RequestClient<CoapClientRequest, CoapClientResponse> client = await CoapAsync(server.Endpoint);
        string text = new('a', 10_000);
        CoapClientResponse answer = await client.AskAsync(Capitalize(text), _long, CancellationToken.None);
        Assert.Equal(text.ToUpperInvariant(), Encoding.UTF8.GetString(answer.Body));
    }

    [Fact]
    public async Task A_time_out_and_a_cancellation_are_told_apart_and_make_room()
    {
        using Socket silent = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Endpoint endpoint = Endpoint.From(Transport.Udp, (IPEndPoint)silent.LocalEndPoint!);
        CoapClientLimits one = CoapClientLimits.Default with { MaxRequests = 1 };
        await using RequestClient<CoapClientRequest, CoapClientResponse> client = await CoapAsync(endpoint, one);
        using CancellationTokenSource cancelled = new();
        Task<CoapClientResponse> waiting = client.AskAsync(Capitalize("a"), _long, cancelled.Token);
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.AskAsync(Capitalize("b"), _long, CancellationToken.None));
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        NetworkException late = await EventuallyAsync(client, "c");
        Assert.Contains("no answer within 0.05 s", late.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_to_nobody_fails_with_the_systems_answer_and_the_next_address_of_a_name_is_asked()
    {
        Endpoint nobody = NobodyAt(IPAddress.Loopback);
        await using RequestClient<CoapClientRequest, CoapClientResponse> refused = await CoapAsync(nobody);
        NetworkException failure = await Assert.ThrowsAsync<NetworkException>(
            () => refused.AskAsync(Capitalize("a"), _long, CancellationToken.None));
        Assert.Contains("ECONNREFUSED", failure.Message, StringComparison.Ordinal);

        // localhost is ::1 and 127.0.0.1; only the second one listens.
        await using Running server = await Running.StartAsync(CoapService.From(ClassicServices.Capitalize), "udp");
        await using RequestClient<CoapClientRequest, CoapClientResponse> named =
            await CoapAsync(Endpoint.Parse($"udp://localhost:{server.Endpoint.Port}"));
        CoapClientResponse answer = await named.AskAsync(Capitalize("a"), _long, CancellationToken.None);
        Assert.Equal("A", Encoding.UTF8.GetString(answer.Body));
        Assert.Equal(IPAddress.Loopback, named.Peer.ToIPEndPoint().Address);
    }

    /// <summary>Where it is forbidden to broadcast, connect(2) refuses 255.255.255.255, as it does an address without a route.</summary>
    [Fact]
    public async Task An_address_that_connect_refuses_is_passed_over()
    {
        await using Running server = await Running.StartAsync(CoapService.From(ClassicServices.Capitalize), "udp");
        ClientOptions forbidding = new() { SocketOptions = [SocketOptionSetting.Parse("SO_BROADCAST=0")] };
        IPEndPoint refused = new(IPAddress.Broadcast, server.Endpoint.Port);
        IPEndPoint served = new(IPAddress.Loopback, server.Endpoint.Port);
        await using RequestClient<CoapClientRequest, CoapClientResponse> client = new(
            server.Endpoint, [refused, refused, served], NewHandler, forbidding);
        CoapClientResponse answer = await client.AskAsync(Capitalize("hi"), _long, CancellationToken.None);
        Assert.Equal("HI", Encoding.UTF8.GetString(answer.Body));
        Assert.Throws<NetworkException>(() => new RequestClient<CoapClientRequest, CoapClientResponse>(
            server.Endpoint, [refused], NewHandler, forbidding));
    }

    [Fact]
    public async Task What_waits_when_the_client_is_disposed_ends()
    {
        using Socket silent = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Endpoint endpoint = Endpoint.From(Transport.Udp, (IPEndPoint)silent.LocalEndPoint!);
        RequestClient<CoapClientRequest, CoapClientResponse> client = await CoapAsync(endpoint);
        Task<CoapClientResponse> waiting = client.AskAsync(Capitalize("a"), _long, CancellationToken.None);
        client.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.AskAsync(Capitalize("b"), _long, CancellationToken.None));
        await client.DisposeAsync();
    }

    private static CoapClientRequest Capitalize(string text) =>
        new() { Method = CoapCode.Post, Path = "capitalize", Body = Encoding.UTF8.GetBytes(text) };

    /// <summary>The cancelled request makes room when the lane has heard of it.</summary>
    private static async Task<NetworkException> EventuallyAsync(RequestClient<CoapClientRequest, CoapClientResponse> client, string text)
    {
        while (true)
        {
            try
            {
                return await Assert.ThrowsAsync<NetworkException>(
                    () => client.AskAsync(Capitalize(text), TimeSpan.FromMilliseconds(50), CancellationToken.None));
            }
            catch (Xunit.Sdk.ThrowsException failure) when (failure.InnerException is InvalidOperationException)
            {
                await Task.Yield();
            }
        }
    }

    private static CoapClientHandler NewHandler(DatagramSocketInfo socket) => new(socket, CoapClientLimits.Default);

    private static Task<RequestClient<CoapClientRequest, CoapClientResponse>> CoapAsync(
        Endpoint endpoint, CoapClientLimits? limits = null) =>
        RequestClient.ConnectAsync(
            endpoint,
            socket => new CoapClientHandler(socket, limits ?? CoapClientLimits.Default),
            _long,
            ClientOptions.Default,
            CancellationToken.None);

    private static Task<DatagramConnection> OpenAsync(Endpoint endpoint, Asking handler) => DatagramConnection.OpenAsync(
        endpoint,
        socket =>
        {
            handler.Peer = socket.Peer;
            return handler;
        },
        _long,
        ClientOptions.Default,
        CancellationToken.None);

    private static Endpoint NobodyAt(IPAddress address)
    {
        using Socket taken = new(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        taken.Bind(new IPEndPoint(address, 0));
        return Endpoint.From(Transport.Udp, (IPEndPoint)taken.LocalEndPoint!);
    }

    private sealed class Asking(string question) : DatagramHandler
    {
        public PeerAddress Peer { get; set; }

        public TaskCompletionSource<string> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<PeerAddress> Unreachable { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ConcurrentQueue<CloseReason> Closes { get; } = new();

        public override void OnOpen(DatagramTurn turn)
        {
            Encoding.UTF8.GetBytes(question, turn.Output);
            turn.SendTo(Peer);
        }

        public override void OnDatagram(Datagram datagram, DatagramTurn turn) =>
            Answer.TrySetResult(Encoding.UTF8.GetString(datagram.Bytes));

        public override void OnUnreachable(PeerAddress peer, DatagramTurn turn) => Unreachable.TrySetResult(peer);

        public override void OnClosed(CloseReason reason) => Closes.Enqueue(reason);
    }
}
