using System.Net;
using System.Net.Sockets;
using Doorbell.Serving;
using Doorbell.Sessions;

namespace Doorbell.Tests;

/// <summary>Errors that the system really makes, worded for people: call, endpoint, errno's name and text, advice; one line.</summary>
public sealed class NetworkErrorTests
{
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData("tcp://127.0.0.1:1", "connect tcp://127.0.0.1:1: ECONNREFUSED (Connection refused); nothing listens there")]
    [InlineData("tcp://localhost:1", "[::1]:1: ECONNREFUSED (Connection refused), 127.0.0.1:1: ECONNREFUSED")]
    [InlineData("tcp://nonexistent.invalid:1", "resolve tcp://nonexistent.invalid:1: EAI_")]
    [InlineData("unix:///nonexistent/door", "connect unix:///nonexistent/door: ENOENT (No such file or directory); ")]
    public async Task A_failed_connect_says_what_why_and_what_to_do(string endpoint, string part)
    {
        NetworkException failure = await Assert.ThrowsAsync<NetworkException>(
            () => Connector.ConnectAsync(Endpoint.Parse(endpoint), _timeout, CancellationToken.None));
        Assert.Contains(part, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Fact]
    public async Task A_socket_of_the_other_kind_is_named()
    {
        await using Running datagrams = await Running.StartAsync(ClassicServices.Echo, "unix+dgram");
        Endpoint stream = Endpoint.Parse($"unix://{datagrams.Endpoint.Path}");
        NetworkException failure = await Assert.ThrowsAsync<NetworkException>(() => Connector.ConnectAsync(stream, _timeout,
            CancellationToken.None));
        Assert.Contains("EPROTOTYPE", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connect_that_nobody_answers_ends_in_time()
    {
        // A listener whose backlog is full answers no SYN.
        using Socket full = new(SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        Endpoint endpoint = Endpoint.From(Transport.Tcp, (IPEndPoint)full.LocalEndPoint!);
        using Socket first = await Connector.ConnectAsync(endpoint, _timeout, CancellationToken.None);
        NetworkException failure = await Assert.ThrowsAsync<NetworkException>(async () =>
        {
            while (true)
            {
                _ = await Connector.ConnectAsync(endpoint, TimeSpan.FromMilliseconds(300), CancellationToken.None);
            }
        });
        Assert.Equal(SocketError.TimedOut, failure.Error);
        Assert.Contains("no answer within 0.3 s", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tcp://192.0.2.1:0", "bind tcp://192.0.2.1:0: EADDRNOTAVAIL (Cannot assign requested address); no interface")]
    [InlineData("unix:///nonexistent/door", "bind unix:///nonexistent/door: ENOENT (No such file or directory); ")]
    public async Task A_failed_bind_says_what_why_and_what_to_do(string endpoint, string part)
    {
        NetworkException failure = await Assert.ThrowsAsync<NetworkException>(() => Server.StartAsync(ClassicServices.Echo, endpoint));
        Assert.Contains(part, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_datagram_that_is_too_long_is_refused_with_advice()
    {
        await using Running server = await Running.StartAsync(ClassicServices.Echo, "udp");
        NetworkException failure = await Assert.ThrowsAsync<NetworkException>(
            () => DatagramClient.AskAsync(server.Endpoint, new byte[66_000], _timeout, RetrySchedule.Default, CancellationToken.None));
        Assert.Contains("EMSGSIZE (Message too long); a datagram carries at most 65,507 bytes", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_families_of_addresses_take_turns()
    {
        IPAddress[] addresses = [.. new[] { "::1", "::2", "::3", "10.0.0.1", "10.0.0.2" }.Select(IPAddress.Parse)];
        Assert.Equal(["::1", "10.0.0.1", "::2", "10.0.0.2", "::3"],
            Connector.Interleave(addresses).Select(static address => address.ToString()));
    }

    [Theory]
    [InlineData(SocketError.ConnectionAborted, 0)]
    [InlineData(SocketError.NotConnected, 0)]
    [InlineData(SocketError.TooManyOpenSockets, 1)]
    [InlineData(SocketError.NoBufferSpaceAvailable, 1)]
    [InlineData(SocketError.InvalidArgument, 2)]
    [InlineData(SocketError.NotSocket, 2)]
    public void Failures_of_accept_are_of_three_kinds(SocketError error, int kind) =>
        Assert.Equal((AcceptFailure)kind, AcceptFailures.Classify(error));
}
